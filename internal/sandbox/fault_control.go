package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// controlFaults answers /sandbox/faults: GET lists the rules with how often
// each came up, POST replaces them all, DELETE ends them. POST takes a list or
// one rule, in JSON or YAML, but not nothing, and ?seed=N for the chances.
func (s *Sandbox) controlFaults(w http.ResponseWriter, r *http.Request, body []byte) {
	err := error(nil)
	switch r.Method {
	case http.MethodPost:
		err = s.postFaults(r, body)
	case http.MethodDelete:
		err = s.SetFaults(nil)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": err.Error(), "problems": strings.Split(err.Error(), "\n")})
		return
	}
	writeJSON(w, http.StatusOK, s.Faults())
}

func (s *Sandbox) postFaults(r *http.Request, body []byte) error {
	seed := s.options.FaultSeed
	if text := r.URL.Query().Get("seed"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("seed: %q is not a whole number of 0 or more", text)
		}
		seed = n
	}
	rules, err := ParseFaults(body)
	if err != nil {
		return err
	}
	if rules == nil { // an upload that went wrong looks like this, and would end the rules in force
		return errors.New("the body is empty: want a rule, or a list; DELETE /sandbox/faults ends those in force")
	}
	return s.setFaults(rules, seed)
}
