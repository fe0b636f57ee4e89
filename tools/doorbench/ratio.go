package main

import (
	"fmt"
	"slices"
)

// ratios are one figure's values, a round each.
type ratios []float64

// String is the median with the least and the greatest.
func (r ratios) String() string {
	sorted := slices.Sorted(slices.Values(r))
	return fmt.Sprintf("%.2f (%.2f–%.2f)", sorted[len(sorted)/2], sorted[0], sorted[len(sorted)-1])
}

// print writes a line of the table.
func (r ratios) print(what, goal string) { fmt.Printf("| %s | %s | %s |\n", what, r, goal) }

func head(title string) { fmt.Printf("| %s | measured | goal |\n|---|---|---|\n", title) }
