package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// complaints collects what is wrong with a rule, once a field.
type complaints struct {
	list   []error
	fields []string // those complained about
	partly bool     // what could not be read may be what the rule as a whole lacks
}

func (c *complaints) add(field, format string, args ...any) {
	parent, _, _ := strings.Cut(field, ".")
	if slices.Contains(c.fields, parent) || slices.Contains(c.fields, field) || c.partly && field == "" {
		return
	}
	text := fmt.Sprintf(format, args...)
	if field != "" {
		c.fields = append(c.fields, field)
		text = field + ": " + text
	}
	c.list = append(c.list, errors.New(text))
}

// wait complains about a time that is negative or too long to be waited.
func (c *complaints) wait(field string, d Duration) {
	if d < 0 || time.Duration(d) > maxWait {
		c.add(field, "%s is not between 0 and %s", time.Duration(d), maxWait)
	}
}

func (c *complaints) oneOf(field, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		c.add(field, "%q is none of %s", value, strings.Join(allowed, ", "))
	}
}

func (c *complaints) between(field string, value, low, high int) {
	if value < low || value > high {
		c.add(field, "%d is outside %d to %d", value, low, high)
	}
}

// of puts the place and the name of the rule before each complaint.
func (c *complaints) of(i int, f *Fault) error {
	rule := fmt.Sprintf("fault %d", i+1)
	if f.Name != "" {
		rule += fmt.Sprintf(" (%s)", f.Name)
	}
	list := make([]error, len(c.list))
	for i, err := range c.list {
		list[i] = fmt.Errorf("%s: %w", rule, err)
	}
	return errors.Join(list...)
}

// checkFaults says what is wrong with rules as a whole.
func checkFaults(rules []Fault) error {
	var problems []error
	names, replicas := map[string]int{}, 0
	for i := range rules {
		c := &complaints{}
		rules[i].check(c)
		if first, twice := names[rules[i].Name]; twice && rules[i].Name != "" {
			c.add("name", "%q is the name of fault %d, too", rules[i].Name, first)
		}
		names[rules[i].Name] = i + 1
		if rules[i].Stale != nil {
			replicas++
		}
		problems = append(problems, c.of(i, &rules[i]))
	}
	if replicas > maxReplicas {
		problems = append(problems, fmt.Errorf("stale: %d rules have a replica each, at most %d may", replicas, maxReplicas))
	}
	if len(rules) > maxFaults {
		problems = append(problems, fmt.Errorf("%d faults are more than %d", len(rules), maxFaults))
	}
	return errors.Join(problems...)
}

const (
	maxFaults   = 1000
	maxReplicas = 4
)

func (f *Fault) check(c *complaints) {
	f.checkScope(c)
	f.checkTurns(c)
	f.checkEffects(c)
	f.checkAnswer(c)
	f.checkConnection(c)
	if f.Latency != nil {
		f.Latency.check(c)
	}
	f.SlowRequest.check("slowRequest", c)
	f.SlowAnswer.check("slowAnswer", c)
	c.oneOf("expire", f.Expire, ExpireOnce, ExpireToken, ExpireAll)
	if f.Lock < 0 || time.Duration(f.Lock) > 24*time.Hour {
		c.add("lock", "%s is not between 0 and 24h", time.Duration(f.Lock))
	}
	c.between("extraMembers", f.ExtraMembers, 0, 100)
	if f.Stale != nil {
		f.Stale.check(c)
	}
	if f.Drift != nil {
		c.oneOf("drift.to", f.Drift.To, "string", "number", "bool", "null", "list")
	}
	c.wait("pending", f.Pending)
	if _, known := rowMessages()[f.RowCode]; f.RowCode != 0 && !known {
		c.add("rowCode", "%d is none of %v", f.RowCode, slices.Sorted(maps.Keys(rowMessages())))
	}
}

func (f *Fault) checkScope(c *complaints) {
	if f.Operation != "" {
		if _, err := path.Match(f.Operation, ""); err != nil {
			c.add("operation", "%q: %v", f.Operation, err)
		} else if ids := operationIDs(); !slices.ContainsFunc(ids, func(id string) bool { ok, _ := path.Match(f.Operation, id); return ok }) {
			c.add("operation", "%q is no operation of the catalogue; did you mean %s?", f.Operation, nearest(f.Operation, ids))
		}
	}
	if f.Method != strings.ToUpper(f.Method) {
		c.add("method", "%q is spelled %s", f.Method, strings.ToUpper(f.Method))
	}
	if err := checkPattern(f.Path); err != nil {
		c.add("path", "%v", err)
	}
}

// checkPattern says what is wrong with a pattern of paths.
func checkPattern(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("%q: %w", pattern, err)
	}
	if pattern != "" && !strings.HasPrefix(pattern, "/") {
		return fmt.Errorf("%q does not begin with /; the whole path is compared", pattern)
	}
	return nil
}

func operationIDs() []string {
	var ids []string
	for _, o := range operations() {
		ids = append(ids, o.id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (f *Fault) checkTurns(c *complaints) {
	c.between("skip", f.Skip, 0, 1e9)
	c.between("times", f.Times, 0, 1e9)
	if !(f.Probability >= 0 && f.Probability <= 1) {
		c.add("probability", "%v is outside 0 to 1", f.Probability)
	}
	if f.After < 0 {
		c.add("after", "%s is negative", time.Duration(f.After))
	}
	if f.For < 0 {
		c.add("for", "%s is negative", time.Duration(f.For))
	}
}

// checkEffects: a rule has an effect, decides the answer in one way, and is
// about requests or about imports.
func (f *Fault) checkEffects(c *complaints) {
	var ways []string
	for _, way := range []struct {
		name string
		set  bool
	}{
		{"status", f.Status != 0 && f.Limit == nil},
		{"limit", f.Limit != nil},
		{"cut", f.Cut != ""},
		{"lost", f.Lost != ""},
		{"expire", f.Expire != ""},
		{"lock", f.Lock != 0},
	} {
		if way.set {
			ways = append(ways, way.name)
		}
	}
	if len(ways) > 1 {
		c.add("", "%s exclude each other: one rule decides the answer in one way", strings.Join(ways, " and "))
	}
	shapes := f.Latency != nil || f.SlowRequest != nil || f.SlowAnswer != nil || f.Stale != nil || f.ExtraMembers != 0 || f.Drift != nil
	switch {
	case f.ofImports() && (len(ways) > 0 || shapes || f.Operation != "" || f.Method != "" || f.Path != ""):
		c.add("", "rowCode and pending are about imports and do not go with fields about requests")
	case f.Pending != 0 && (f.RowCode != 0 || f.Login != ""):
		c.add("pending", "goes with neither rowCode nor login")
	case !f.ofImports() && len(ways) == 0 && !shapes:
		c.add("", "does nothing: give one of %s", strings.Join(effects(), ", "))
	}
}

func effects() []string {
	return []string{
		"latency", "slowRequest", "slowAnswer", "status", "limit", "cut", "lost", "expire", "lock", "stale", "extraMembers", "drift", "rowCode", "pending",
	}
}

func (f *Fault) checkAnswer(c *complaints) {
	if f.Status != 0 {
		c.between("status", f.Status, 200, 599)
	}
	c.between("retryAfter", f.RetryAfter, 0, 86400)
	c.oneOf("retryAfterForm", f.RetryAfterForm, "seconds", "date")
	c.oneOf("format", f.Format, "json", "html", "text", "empty")
	if f.Status == 0 && f.Limit == nil {
		set := map[string]bool{
			"retryAfter": f.RetryAfter != 0, "retryAfterForm": f.RetryAfterForm != "", "format": f.Format != "", "body": f.Body != "",
		}
		for _, name := range sortedNames(set) {
			if set[name] {
				c.add(name, "means nothing without status or limit")
			}
		}
	}
	if f.Body != "" && f.Format != "" {
		c.add("format", "means nothing beside body, which is sent as it is")
	}
	if f.Limit == nil {
		return
	}
	if f.RetryAfter != 0 {
		c.add("retryAfter", "follows from limit")
	}
	if !(f.Limit.Rate >= 1e-5 && f.Limit.Rate <= 1e6) { // a request a day; what follows as Retry-After must be a time
		c.add("limit.rate", "%v is not a number of requests a second, 0.00001 to 1000000", f.Limit.Rate)
	}
	c.between("limit.burst", f.Limit.Burst, 0, 1e6)
	c.oneOf("limit.per", f.Limit.Per, perAll, perAccount, perToken)
}

func (f *Fault) checkConnection(c *complaints) {
	c.oneOf("cut", f.Cut, CutBeforeRead, CutAfterRead, CutSilence, CutMidBody, CutShortBody, CutOpenChunk)
	c.oneOf("lost", f.Lost, LostClose, LostReset, LostTimeout, Lost502, Lost504)
	c.wait("hold", f.Hold)
	if f.Hold != 0 && f.Cut != CutSilence && f.Lost != LostTimeout {
		c.add("hold", "means nothing without cut: silence or lost: timeout")
	}
	if f.Cut != "" && f.SlowAnswer != nil {
		c.add("slowAnswer", "does not go with cut")
	}
}

func (p *Pace) check(field string, c *complaints) {
	if p == nil {
		return
	}
	if p.Bytes < 1 {
		c.add(field+".bytes", "%d is not a number of bytes, 1 or more", p.Bytes)
	}
	if p.Every <= 0 {
		c.add(field+".every", "%s is not a pause such as 20ms", time.Duration(p.Every))
	}
	c.wait(field+".every", p.Every)
	c.wait(field+".max", p.Max)
}

func (l *Stale) check(c *complaints) {
	c.oneOf("stale.collection", l.Collection, sortedNames(collections())...)
	if (l.For > 0) == (l.Reads > 0) {
		c.add("stale", "needs either for, a time, or reads, a number of answers")
	}
	if l.For < 0 || l.Reads < 0 {
		c.add("stale", "for and reads are not negative")
	}
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// nearest answers the name that takes the fewest changes to write.
func nearest(name string, names []string) string {
	return slices.MinFunc(names, func(a, b string) int { return distance(name, a) - distance(name, b) })
}

// distance counts the letters to insert, delete and replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
