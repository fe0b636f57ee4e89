// Command gen writes the generated sample: go run ./samples/gen > samples/company-1000.csv
package main

import (
	"fmt"
	"os"

	"github.com/rainbow-gateway/rainbow-gateway/samples"
)

func main() {
	if err := samples.Company(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
