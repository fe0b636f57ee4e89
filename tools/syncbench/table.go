package main

import (
	"fmt"
	"slices"
	"time"
)

// line is one line of the table.
type line struct {
	what, role, unit string
	// seconds says that the clock counts, beyond the unit's.
	seconds bool
	// ratio, limit and mib are the goals for 100,000 users and for 1,000,000; 0: none.
	ratio, limit, mib [2]float64
}

// lines are the table's.
func lines() []line {
	return []line{
		{what: "the plain loop", role: "loop"},
		{what: "plan from CSV", role: "plan", unit: "loop", ratio: [2]float64{6, 7}, mib: [2]float64{80, 500}},
		{what: "hashing the file", role: "hash"},
		{what: "plan of a manifest that changes nothing, the first time", role: "unchanged", unit: "hash"},
		{what: "the same manifest over the same state again", role: "standing", unit: "hash", ratio: [2]float64{3, 3}},
		{what: "first line of the preview, the plan being saved before", role: "preview", seconds: true, limit: [2]float64{1, 0}},
		{what: "refresh: users alone", role: "refresh", unit: "upstream", seconds: true, limit: [2]float64{0, 8}, mib: [2]float64{0, 200}},
		{what: "refresh: users with extension, device and DDI", role: "refresh-whole", unit: "upstream-whole", seconds: true},
	}
}

// printTable prints what was seen, a line each. A goal that was set for 1,000,000 users is shown from 500,000 on.
func printTable(seen map[string][]result, users int) {
	size := 0
	if users >= 500_000 {
		size = 1
	}
	fmt.Print("| what | measured | goal | MiB | goal |\n|---|---|---|---|---|\n")
	for _, l := range lines() {
		if results := seen[l.role]; len(results) > 0 {
			fmt.Printf("| %s | %s | %s | %s | %s |\n", l.what, l.measured(results, seen[l.unit]), l.goal(size), l.memory(results, seen[l.unit]), goalText(l.mib[size], "≤ %g"))
		}
	}
}

// measured is the ratio to the unit, or the seconds beyond it.
func (l line) measured(results, unit []result) string {
	switch {
	case l.seconds:
		return spread(values(results, func(i int) float64 {
			beyond := results[i].clock
			if len(unit) > 0 {
				beyond -= unit[i].clock
			}
			return beyond.Seconds()
		}), "%.2f") + " s"
	case len(unit) > 0:
		return spread(values(results, func(i int) float64 { return float64(results[i].cpu) / float64(unit[i].cpu) }), "%.1f") + " times as long"
	}
	return fmt.Sprintf("the unit (%s)", results[0].cpu.Round(time.Millisecond))
}

func (l line) goal(size int) string {
	return goalText(l.ratio[size], "≤ %g") + goalText(l.limit[size], "≤ %g s")
}

func goalText(goal float64, format string) string {
	if goal == 0 {
		return ""
	}
	return fmt.Sprintf(format, goal)
}

// memory is the peak; that of a refresh is what goes beyond upstream's.
func (l line) memory(results, unit []result) string {
	return spread(values(results, func(i int) float64 {
		beyond := results[i].memory
		if l.seconds && len(unit) > 0 {
			beyond -= unit[i].memory
		}
		return float64(beyond) / (1 << 20)
	}), "%.0f")
}

// values gives a figure of each round.
func values(results []result, of func(round int) float64) []float64 {
	all := make([]float64, len(results))
	for i := range results {
		all[i] = of(i)
	}
	return all
}

// spread is the median with the least and the greatest.
func spread(all []float64, format string) string {
	slices.Sort(all)
	return fmt.Sprintf(format+" ("+format+"–"+format+")", all[len(all)/2], all[0], all[len(all)-1])
}

// median is the one in the middle.
func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
