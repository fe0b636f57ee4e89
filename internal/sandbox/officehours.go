package sandbox

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// officeHours are the opening hours of a welcome: seven days, of which the
// guide does not say which is the first (here Sunday), each a list of periods,
// each a list of times. An empty day is closed; so is the one-element period
// ["0"] of the guide's sample.
type officeHours struct {
	OpenHours  [][][]string     `json:"openhours"`
	Exceptions []hoursException `json:"exceptions"`
}

// hoursException overrides one date: the periods are the only ones open, or,
// when Open is false, closed (our reading). Months count from 1 (ours).
type hoursException struct {
	Year    int        `json:"year"`
	Month   int        `json:"month"`
	Day     int        `json:"mday"`
	Periods [][]string `json:"periods"`
	Open    bool       `json:"open"`
}

// defaultHours are Monday to Friday from 8 to 18.
func defaultHours() *officeHours {
	day := [][]string{{"08:00", "18:00"}}
	return &officeHours{OpenHours: [][][]string{{}, day, day, day, day, day, {}}, Exceptions: []hoursException{}}
}

// open tells whether a local time falls into the hours; the minute a period
// ends at still counts.
func (h *officeHours) open(local time.Time) bool {
	minute := local.Hour()*60 + local.Minute()
	regular := within(h.OpenHours[local.Weekday()], minute)
	for _, e := range h.Exceptions {
		if e.Year != local.Year() || e.Month != int(local.Month()) || e.Day != local.Day() {
			continue
		}
		if e.Open {
			return within(e.Periods, minute)
		}
		return regular && !within(e.Periods, minute)
	}
	return regular
}

func within(periods [][]string, minute int) bool {
	return slices.ContainsFunc(periods, func(p []string) bool {
		if len(p) != 2 {
			return false
		}
		from, _ := minuteOf(p[0])
		to, _ := minuteOf(p[1])
		return from <= minute && minute <= to
	})
}

// minuteOf reads "8:00" and "08:00"; hours are not always padded (guide).
func minuteOf(text string) (minute int, ok bool) {
	hours, minutes, found := strings.Cut(text, ":")
	h, err := strconv.Atoi(hours)
	m, err2 := strconv.Atoi(minutes)
	if !found || err != nil || err2 != nil || h < 0 || h > 23 || m < 0 || m > 59 || len(minutes) != 2 || len(hours) > 2 {
		return 0, false
	}
	return h*60 + m, true
}

// sentHours is the body of UpdateWelcomeOfficeHours; what is absent stays.
type sentHours struct {
	OpenHours  *[][][]string     `json:"openhours"`
	Exceptions *[]hoursException `json:"exceptions"`
}

// readHours lays the sent hours over the stored ones; every fault is
// collected.
func readHours(o *object, stored *officeHours) *officeHours {
	next := *stored
	var sent sentHours
	o.require("officehours")
	if !o.decode("officehours", &sent) {
		return &next
	}
	if sent.OpenHours != nil {
		next.OpenHours = *sent.OpenHours
		if len(next.OpenHours) != 7 {
			o.bad("officehours.openhours", "openhours must have 7 days", len(next.OpenHours))
		}
		for i, day := range next.OpenHours {
			checkPeriods(o, fmt.Sprintf("officehours.openhours[%d]", i), day)
			if day == nil {
				next.OpenHours[i] = [][]string{}
			}
		}
	}
	if sent.Exceptions != nil {
		next.Exceptions = *sent.Exceptions
		for i, e := range next.Exceptions {
			at := fmt.Sprintf("officehours.exceptions[%d]", i)
			date := time.Date(e.Year, time.Month(e.Month), e.Day, 0, 0, 0, 0, time.UTC)
			if date.Year() != e.Year || int(date.Month()) != e.Month || date.Day() != e.Day {
				o.bad(at, "year, month and mday must be a date", fmt.Sprintf("%d-%d-%d", e.Year, e.Month, e.Day))
			}
			checkPeriods(o, at+".periods", e.Periods)
			if e.Periods == nil {
				next.Exceptions[i].Periods = [][]string{}
			}
		}
	}
	return &next
}

func checkPeriods(o *object, at string, periods [][]string) {
	for i, p := range periods {
		if len(p) == 1 && p[0] == "0" {
			continue
		}
		if len(p) != 2 {
			o.bad(fmt.Sprintf("%s[%d]", at, i), "a period has a start and an end", p)
			continue
		}
		from, ok := minuteOf(p[0])
		to, ok2 := minuteOf(p[1])
		if !ok || !ok2 || from > to {
			o.bad(fmt.Sprintf("%s[%d]", at, i), "a period goes from a time to a later one, as 8:00 and 18:30", p)
		}
	}
}
