package clock

import "time"

// Brief writes a duration with as many digits as people need: "12µs" to tens of microseconds, "1.2ms" to tenths of a millisecond, "230ms" to whole ones.
func Brief(d time.Duration) string {
	switch {
	case d >= 100*time.Millisecond:
		return d.Round(time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}
