package catalog

// KindInfo is what the market knows of a Kind before anybody sells it.
type KindInfo struct {
	Kind     Kind
	Title    string // as people write it
	Alias    string // customary name of an app's first binding: DATABASE gives DATABASE_URL
	Category string // FOCUS service category
}

// Kinds lists every Kind that may be sold, in the order in which they are shown.
func Kinds() []KindInfo {
	return []KindInfo{
		{"postgresql", "PostgreSQL", "DATABASE", "Databases"},
		{"mysql", "MySQL", "DATABASE", "Databases"},
		{"redis", "Redis", "REDIS", "Databases"},
		{"rabbitmq", "RabbitMQ", "AMQP", "Integration"},
		{"nats", "NATS", "NATS", "Integration"},
		{"s3", "Object storage", "S3", "Storage"},
		{"fake", "Fake backend", "FAKE", "Developer Tools"},
		{"other", "Other backend", "BACKEND", "Other"},
	}
}

// Info gives what is known of a Kind; a Kind that is not listed shows under its own name.
func (k Kind) Info() (KindInfo, bool) {
	for _, i := range Kinds() {
		if i.Kind == k {
			return i, true
		}
	}
	return KindInfo{Kind: k, Title: string(k), Category: "Other"}, false
}
