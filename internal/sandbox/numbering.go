package sandbox

import (
	"encoding/json"
	"strconv"
	"strings"
)

// numberRange is one range of internal numbers, all of the same length.
type numberRange struct {
	First string `json:"first"`
	Last  string `json:"last"`
}

func (r numberRange) holds(shortNumber string) bool {
	return len(shortNumber) == len(r.First) && shortNumber >= r.First && shortNumber <= r.Last
}

// numberRanges computes the ranges of a Cloud PBX from its settings. A number
// is a prefix and filling digits: prefix 8 with 4 digits allows 8000 to 8999
// (Rainbow Node SDK). numberingPlan supersedes numberingPrefixes, which
// supersedes numberingPrefix; its entries carry digits of their own only when
// numberingDigitsLength is variable.
func (y *system) numberRanges() []numberRange {
	common := asInt(y.Cloud["numberingDigits"])
	variable := y.Cloud["numberingDigitsLength"] == "variable"
	var list []numberRange
	add := func(prefix string, digits int) {
		fill := digits - len(prefix)
		if prefix == "" || fill < 0 || fill > 12 {
			return
		}
		list = append(list, numberRange{prefix + strings.Repeat("0", fill), prefix + strings.Repeat("9", fill)})
	}
	if plan, ok := y.Cloud["numberingPlan"].([]any); ok && len(plan) > 0 {
		for _, entry := range plan {
			e, _ := entry.(map[string]any)
			digits := common
			if variable && e["digits"] != nil {
				digits = asInt(e["digits"])
			}
			add(asText(e["prefix"]), digits)
		}
		return list
	}
	if prefixes, ok := y.Cloud["numberingPrefixes"].([]any); ok && len(prefixes) > 0 {
		for _, p := range prefixes {
			add(asText(p), common)
		}
		return list
	}
	add(asText(y.Cloud["numberingPrefix"]), common)
	return list
}

// inPlan tells whether the short number fits the numbering plan.
func (y *system) inPlan(shortNumber string) bool {
	if shortNumber == "" || strings.Trim(shortNumber, "0123456789") != "" {
		return false
	}
	for _, r := range y.numberRanges() {
		if r.holds(shortNumber) {
			return true
		}
	}
	return false
}

// freeNumbers lists up to limit numbers that nobody holds, in plan order.
func (w *world) freeNumbers(y *system, startingWith string, limit int) []int {
	free := []int{}
	for _, r := range y.numberRanges() {
		first, last, ok := narrow(r, startingWith)
		for n := first; ok && n <= last && len(free) < limit; n++ {
			if !w.extensionTaken(y.ID, strconv.Itoa(n)) {
				free = append(free, n)
			}
		}
	}
	return free
}

// narrow cuts a range down to the numbers that start with the digits.
func narrow(r numberRange, start string) (first, last int, ok bool) {
	if len(start) > len(r.First) {
		return 0, 0, false
	}
	low := start + strings.Repeat("0", len(r.First)-len(start))
	high := start + strings.Repeat("9", len(r.First)-len(start))
	first, last = max(asInt(low), asInt(r.First)), min(asInt(high), asInt(r.Last))
	return first, last, first <= last
}

// asInt reads a number of a JSON document, whichever way it is held.
func asInt(v any) int {
	switch n := v.(type) {
	case int:
		return n
	case float64:
		return int(n)
	case json.Number:
		i, _ := strconv.Atoi(n.String())
		return i
	case string:
		i, _ := strconv.Atoi(n)
		return i
	}
	return 0
}

// asText reads a text of a JSON document; numbers are taken as they print
// (numberingPrefix is a number in requests and a string in answers).
func asText(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case json.Number:
		return t.String()
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64)
	case int:
		return strconv.Itoa(t)
	}
	return ""
}

// allocatedNumber is an entry of the numbering plan's allocatedNumbers.
type allocatedNumber struct {
	ShortNumber     string `json:"shortNumber"`
	UserID          string `json:"userId,omitempty"`
	UserDisplayName string `json:"userDisplayName,omitempty"`
	GroupID         string `json:"rvcpGroupId,omitempty"`
	GroupName       string `json:"groupName,omitempty"`
	Type            string `json:"type,omitempty"`
	MacAddress      string `json:"macAddress,omitempty"`
}

func getNumberingPlan(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	allocated := map[string][]allocatedNumber{"subscribers": {}, "groups": {}, "devices": {}}
	for _, b := range systemPart(w.extensions, y.ID, func(b *subscriber) string { return b.SystemID }) {
		allocated["subscribers"] = append(allocated["subscribers"], allocatedNumber{
			ShortNumber: b.ShortNumber, UserID: b.UserID, UserDisplayName: w.displayNameOf(b.UserID),
		})
	}
	for _, h := range w.holders.all() {
		switch {
		case h.SystemID != y.ID:
		case h.Kind == "group":
			allocated["groups"] = append(allocated["groups"], allocatedNumber{ShortNumber: h.ShortNumber, GroupID: h.ID, GroupName: h.Name, Type: h.Type})
		default:
			allocated["devices"] = append(allocated["devices"], allocatedNumber{
				ShortNumber: h.ShortNumber, MacAddress: h.MacAddress, UserID: h.UserID, UserDisplayName: h.Name,
			})
		}
	}
	return data(map[string]any{"ranges": y.numberRanges(), "allocatedNumbers": allocated}), nil
}

func listFreePhoneNumbers(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	start := c.query.text("startingWith")
	if strings.Trim(start, "0123456789") != "" {
		start = ""
	}
	return data(w.freeNumbers(y, start, c.query.limit())), nil
}
