package sandbox

import (
	"cmp"
	"encoding/json"
	"math"
	"math/rand/v2"
	"time"
)

// Latency is a distribution of waiting times. The zero Distribution is fixed:
// Value each time, which JSON writes as the value alone.
type Latency struct {
	// Distribution is fixed, uniform (Min to Max), normal or lognormal; the last
	// two are given by Median and P99.
	Distribution string   `json:"distribution,omitempty"`
	Value        Duration `json:"value,omitempty"`
	Min          Duration `json:"min,omitempty"` // no wait is shorter
	Max          Duration `json:"max,omitempty"` // none is longer; of normal and lognormal twice P99 unless given
	Median       Duration `json:"median,omitempty"`
	P99          Duration `json:"p99,omitempty"`
}

// The distributions of Latency.
const (
	fixedLatency     = "fixed"
	uniformLatency   = "uniform"
	normalLatency    = "normal"
	lognormalLatency = "lognormal"
)

// maxWait bounds every wait that a rule can ask for.
const maxWait = 10 * time.Minute

// Fixed is the latency that is always the same.
func Fixed(d time.Duration) *Latency { return &Latency{Value: Duration(d)} }

// MarshalJSON writes a fixed latency as its value.
func (l Latency) MarshalJSON() ([]byte, error) {
	if l.Distribution == "" {
		return json.Marshal(l.Value)
	}
	type plain Latency
	return json.Marshal(plain(l))
}

// ninetyNine is how many standard deviations above the median the 99th
// percentile of a normal distribution lies.
const ninetyNine = 2.3263478740408408

// draw takes one waiting time.
func (l *Latency) draw(dice *rand.Rand) time.Duration {
	wait := 0.0
	switch l.Distribution {
	case uniformLatency:
		wait = float64(l.Min) + dice.Float64()*float64(l.Max-l.Min)
	case normalLatency:
		wait = float64(l.Median) + dice.NormFloat64()*float64(l.P99-l.Median)/ninetyNine
	case lognormalLatency:
		wait = float64(l.Median) * math.Exp(dice.NormFloat64()*math.Log(float64(l.P99)/float64(l.Median))/ninetyNine)
	default:
		return time.Duration(l.Value)
	}
	return time.Duration(min(max(wait, float64(l.Min)), float64(l.ceiling())))
}

func (l *Latency) ceiling() Duration {
	if l.Max != 0 {
		return l.Max
	}
	return 2 * l.P99
}

// check says what is wrong.
func (l *Latency) check(c *complaints) {
	set := map[string]Duration{"value": l.Value, "min": l.Min, "max": l.Max, "median": l.Median, "p99": l.P99}
	var wanted, allowed []string
	switch l.Distribution {
	case "", fixedLatency:
		wanted = []string{"value"}
	case uniformLatency:
		wanted, allowed = []string{"max"}, []string{"min"}
	case normalLatency, lognormalLatency:
		wanted, allowed = []string{"median", "p99"}, []string{"min", "max"}
	default:
		c.add("latency.distribution", "%q is none of fixed, uniform, normal, lognormal", l.Distribution)
		return
	}
	for _, name := range wanted {
		if set[name] == 0 {
			c.add("latency."+name, "is missing; a %s latency needs it", cmp.Or(l.Distribution, fixedLatency))
		}
		c.wait("latency."+name, set[name])
		delete(set, name)
	}
	for _, name := range allowed {
		c.wait("latency."+name, set[name])
		delete(set, name)
	}
	for _, name := range sortedNames(set) {
		if set[name] != 0 {
			c.add("latency."+name, "means nothing in a %s latency", cmp.Or(l.Distribution, fixedLatency))
		}
	}
	if l.Max != 0 && l.Max < l.Min {
		c.add("latency.max", "%s is less than min, %s", time.Duration(l.Max), time.Duration(l.Min))
	}
	if l.P99 != 0 && l.P99 < l.Median {
		c.add("latency.p99", "%s is less than median, %s", time.Duration(l.P99), time.Duration(l.Median))
	}
}
