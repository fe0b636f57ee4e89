package rainbow

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// settled wants that what is recorded after a run is what upstream holds, and that the manifest plans nothing more, neither
// from what is recorded nor from what is read afresh.
func (s *stage) settled(plan *bulksync.Plan, desired *bulksync.Desired) {
	s.Helper()
	recorded := s.recorded()
	s.plansNothing(plan, desired, "what is recorded")
	s.refresh()
	if diff := gocmp.Diff(s.recorded(), recorded); diff != "" {
		s.Fatalf("the recorded state is not what upstream holds (-upstream +recorded):\n%s\nplan: %v", diff, titles(plan))
	}
	s.plansNothing(plan, desired, "what is read afresh")
}

// recorded dumps what the engine has recorded.
func (s *stage) recorded() map[string]string {
	s.Helper()
	view, err := s.engine.Store.Observed(s.Context(), sandbox.CompanyID)
	if err != nil {
		s.Fatal(err)
	}
	defer view.Close()
	return dump(s, view)
}

// plansNothing wants that a manifest that was applied plans nothing, unless its plan said that it would.
func (s *stage) plansNothing(plan *bulksync.Plan, desired *bulksync.Desired, from string) {
	s.Helper()
	if len(plan.Doubtful) > 0 || slices.ContainsFunc(plan.Remarks, func(f bulksync.Fault) bool { return f.Code == "renumber-again" }) {
		return
	}
	again, err := s.engine.Plan(s.Context(), sandbox.CompanyID, desired, bulksync.Policy{})
	if err != nil {
		s.Fatalf("planning again from %s: %v", from, err)
	}
	if len(again.Operations) > 0 {
		s.Fatalf("planning again from %s is not empty: %+v\nfirst plan: %v", from, again.Operations, titles(plan))
	}
}

func titles(p *bulksync.Plan) []string {
	var all []string
	for i := range p.Operations {
		all = append(all, p.Operations[i].Title())
	}
	return all
}

// agrees is settled, but that a user's values which upstream chose itself may be recorded only by the next refresh: reading
// him back after he was created may have failed.
func (s *stage) agrees(plan *bulksync.Plan, desired *bulksync.Desired) {
	s.Helper()
	recorded := s.books()
	s.plansNothing(plan, desired, "what is recorded")
	s.refresh()
	now := s.books()
	for k, r := range recorded {
		before, ok := r.(*bulksync.User)
		after, _ := now[k].(*bulksync.User)
		if !ok || after == nil {
			continue
		}
		next := *after
		next.Attributes = slices.DeleteFunc(slices.Clone(after.Attributes), func(a bulksync.Attribute) bool {
			return before.Attribute(a.Name) == "" && slices.Contains([]string{"accountType", "country", "isInitialized", "language", "timezone", "visibility"}, a.Name)
		})
		now[k] = &next
	}
	if diff := gocmp.Diff(now, recorded); diff != "" {
		s.Fatalf("the recorded state is not what upstream holds (-upstream +recorded):\n%s\nplan: %v", diff, titles(plan))
	}
	s.plansNothing(plan, desired, "what is read afresh")
}

// books lists what the engine has recorded, by key, without what a refresh does not read.
func (s *stage) books() map[bulksync.Key]bulksync.Record {
	s.Helper()
	view, err := s.engine.Store.Observed(s.Context(), sandbox.CompanyID)
	if err != nil {
		s.Fatal(err)
	}
	defer view.Close()
	all := map[bulksync.Key]bulksync.Record{}
	for _, kind := range []bulksync.Kind{bulksync.KindUser, bulksync.KindExtension, bulksync.KindDevice, bulksync.KindDDI, bulksync.KindLicence} {
		for r := range view.Records(kind) {
			all[r.Key()] = r
		}
	}
	return all
}

// now is the number of the last request that the sandbox has seen.
func (s *stage) now() int {
	last := s.sandbox.Sandbox.FindJournal(sandbox.JournalQuery{Limit: 1})
	if len(last) == 0 {
		return 0
	}
	return last[0].Seq
}

// attaches are the paths by which devices, DDIs and licences are given and taken.
var attaches = regexp.MustCompile(`/subscribers/[^/]+/devices|/ddi/[^/]+/users/|/licen[cs]es|/profiles|/subscriptions/`)

var upstreamID = regexp.MustCompile(`[0-9a-f]{24}`)

// effects counts what was created, deleted, attached and detached upstream since a request, by method and path without ids,
// and of imports the rows that took effect. Updates are not counted: what is sent again changes nothing. Neither is, where lists
// lag, the same attach or detach sent once more: Confirm does not wait for those, since they do no harm (confirm.go).
func (s *stage) effects(since int, lag bool) map[string]int {
	s.Helper()
	kinds, seen := map[string]int{}, map[string]bool{}
	for _, e := range s.sandbox.Sandbox.FindJournal(sandbox.JournalQuery{After: since, Limit: 10_000}) {
		counts := (e.Method == http.MethodPost || e.Method == http.MethodDelete) && strings.HasPrefix(e.Path, "/api/rainbow/") && (e.Status/100 == 2 || e.Dropped && e.Status == 0)
		if !counts || strings.Contains(e.Path, "/users/imports") {
			continue
		}
		again := seen[e.Method+e.Path+e.Digest]
		seen[e.Method+e.Path+e.Digest] = true
		if !again || !lag || !attaches.MatchString(e.Path) {
			kinds[e.Method+" "+upstreamID.ReplaceAllString(e.Path, "{id}")]++
		}
	}
	resp, err := s.target.imports.ListUsersImports(s.Context(), &massprovisioningv1.ListUsersImportsRequest{CompanyId: proto.String(sandbox.CompanyID)})
	if err != nil {
		s.Fatal(err)
	}
	for _, i := range resp.GetData() {
		kinds["import rows"] += int(i.GetCounters().GetSucceeded())
	}
	return kinds
}

// essence is all that the company holds, options, keys and settings included, by natural keys and with those in place of
// upstream's ids.
func (s *stage) essence() map[string]string {
	s.Helper()
	w := s.world()
	var names []string
	var details []bulksync.Key
	for kind, id := range map[bulksync.Kind]func(bulksync.Record) string{
		bulksync.KindUser:      func(r bulksync.Record) string { return r.(*bulksync.User).ID },
		bulksync.KindExtension: func(r bulksync.Record) string { return r.(*bulksync.Extension).ID },
		bulksync.KindDevice:    func(r bulksync.Record) string { return r.(*bulksync.Device).ID },
		bulksync.KindDDI:       func(r bulksync.Record) string { return r.(*bulksync.DDI).ID },
	} {
		for r := range w.Records(kind) {
			if id := id(r); id != "" {
				names = append(names, id, "<"+r.Key().String()+">")
			}
			switch r := r.(type) {
			case *bulksync.Device:
				details = append(details, bulksync.KeysOf(r.Address))
			case *bulksync.Extension:
				if r.Role == bulksync.RoleSubscriber {
					for _, g := range []bulksync.Group{bulksync.GroupBarring, bulksync.GroupOverflow, bulksync.GroupPSTNDevice, bulksync.GroupSIPHeaders} {
						details = append(details, bulksync.OptionsKey(g, r.Holder))
					}
				}
			}
		}
	}
	details = append(details, bulksync.SettingsKey(bulksync.GroupCLI, cloudPbxID))
	all := dump(s, w)
	found, err := s.target.Read(s.Context(), w.Company(), w, details)
	if err != nil {
		s.Fatal(err)
	}
	for k, r := range found {
		b, err := json.Marshal(r)
		if err != nil {
			s.Fatal(err)
		}
		all[k.String()] = string(b)
	}
	replace := strings.NewReplacer(names...)
	for k := range maps.Keys(all) {
		all[k] = replace.Replace(all[k])
	}
	return all
}
