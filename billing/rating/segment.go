package rating

import (
	"fmt"
	"slices"
	"time"
)

// segment is a stretch in which one instance ran under one price version, cut to the period.
type segment struct {
	instance string
	price    *Price
	Span
	live []Span // without the suspended time
}

// part is all segments of one instance under one price version.
type part struct {
	instance string
	price    *Price
	from, to time.Time
	live     time.Duration
	hours    int64
	uses     []Use
}

// segments cuts an instance's intervals to the period and at every new price version. Stretches without a price are free.
func (r rater) segments(intervals []Interval) ([]segment, error) {
	var out []segment
	var last time.Time
	for _, i := range intervals {
		span := Span{i.From, i.To}
		if i.To.IsZero() {
			span.To = r.end
		}
		if i.From.Before(last) {
			return nil, fmt.Errorf("instance %s: two intervals overlap at %s", i.Instance, i.From.Format(time.RFC3339))
		}
		last = span.To
		span = span.cut(Span{r.Period.From, r.end})
		free := span
		for n := range r.prices {
			p := &r.prices[n]
			if p.Plan != i.Plan {
				continue
			}
			force := Span{p.From, r.end}
			if n+1 < len(r.prices) && r.prices[n+1].Plan == p.Plan {
				force.To = r.prices[n+1].From
			}
			if s := span.cut(force); s.From.Before(s.To) {
				out = r.unpriced(out, i, Span{free.From, s.From})
				free.From = s.To
				out = append(out, segment{instance: i.Instance, price: p, Span: s, live: s.without(i.Suspended)})
			}
		}
		out = r.unpriced(out, i, free)
	}
	return out, nil
}

// unpriced adds a stretch under no price: nothing in it is charged, neither its hours nor what was used in it.
func (r rater) unpriced(out []segment, i Interval, s Span) []segment {
	if r.Rules == 1 || !s.From.Before(s.To) {
		return out
	}
	return append(out, segment{instance: i.Instance, price: &Price{Plan: i.Plan}, Span: s, live: s.without(i.Suspended)})
}

// cut gives the part of s that lies in t; it may be empty.
func (s Span) cut(t Span) Span {
	if s.From.Before(t.From) {
		s.From = t.From
	}
	if t.To.Before(s.To) {
		s.To = t.To
	}
	return s
}

// without gives what is left of s after taking spans out.
func (s Span) without(spans []Span) []Span {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	var out []Span
	for _, x := range spans {
		if x.To.IsZero() {
			x.To = s.To
		}
		x = x.cut(s)
		if !x.From.Before(x.To) {
			continue
		}
		if s.From.Before(x.From) {
			out = append(out, Span{s.From, x.From})
		}
		s.From = x.To
	}
	if s.From.Before(s.To) {
		out = append(out, s)
	}
	return out
}

// gather puts the segments of one price version together, in the order in which the versions first appear, and gives each hour to the one
// that began to use it.
func gather(segments []segment) []*part {
	var parts []*part
	var next int64 // the first hour, counted from the epoch, that nobody has
	for _, s := range segments {
		p := find(parts, s.price)
		if p == nil {
			p = &part{instance: s.instance, price: s.price, from: s.From}
			parts = append(parts, p)
		}
		p.to = s.To
		for _, l := range s.live {
			p.live += l.To.Sub(l.From)
			begin, end := max(next, hour(l.From)), hour(l.To.Add(time.Hour-time.Nanosecond))
			if begin < end {
				p.hours += end - begin
				next = end
			}
		}
	}
	return parts
}

// hour gives the number of the UTC hour that t lies in, counted from the epoch.
func hour(t time.Time) int64 { return t.Truncate(time.Hour).Unix() / 3600 }

func find(parts []*part, price *Price) *part {
	for _, p := range parts {
		if p.price == price {
			return p
		}
	}
	return nil
}

// home gives the part that a moment belongs to: its segment's, else that of the one before, else the first; nil when there is none.
func home(segments []segment, parts []*part, at time.Time) *part {
	if len(segments) == 0 {
		return nil
	}
	price := segments[0].price
	for _, s := range segments {
		if s.From.After(at) {
			break
		}
		price = s.price
	}
	return find(parts, price)
}
