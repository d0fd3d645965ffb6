package suggest

import "testing"

func TestClosest(t *testing.T) {
	words := []string{"postgresql", "redis", "rabbitmq", "nats", "s3"}
	for word, want := range map[string]string{
		"postgres": "postgresql", "postgresq": "postgresql", "redsi": "redis", "nat": "nats", "mongodb": "", "": "", "rabitmq": "rabbitmq", "S3": "s3",
	} {
		if got := Closest(word, words); got != want {
			t.Errorf("Closest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestDistanceCountsSwappedNeighboursOnce(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"abc", "acb", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"same", "same", 0}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
