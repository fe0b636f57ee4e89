package drift

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"
)

//go:embed page.html
var pageText string

// Handler serves the report below the root of its mux:
//
//	GET  /drift         a page for people; JSON for who accepts JSON and no HTML
//	GET  /drift.json    a Report as JSON
//	POST /drift/reset   forgets everything and leads back to the page
//
// r is nil when the radar is off; the page then says how to turn it on.
func Handler(r *Radar) http.Handler {
	p := &page{radar: r, html: template.Must(template.New("page").Funcs(template.FuncMap{
		"count": count, "percent": percent, "moment": moment, "ago": ago, "plural": plural, "service": service, "rpc": rpc,
	}).Parse(pageText))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /drift", p.show)
	mux.HandleFunc("GET /drift.json", p.json)
	mux.HandleFunc("POST /drift/reset", p.reset)
	return http.NewCrossOriginProtection().Handler(mux)
}

type page struct {
	radar *Radar
	html  *template.Template
}

// view is what the page is made of.
type view struct {
	Report
	On             bool
	Drifted, Quiet []Operation // all operations
}

func (p *page) show(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	accept := r.Header.Get("Accept")
	if strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html") {
		p.json(w, r)
		return
	}
	view := view{On: p.radar != nil}
	if view.On {
		view.Report = p.radar.Report()
		quiet := slices.IndexFunc(view.Operations, func(op Operation) bool { return op.rank() == 0 })
		if quiet < 0 {
			quiet = len(view.Operations)
		}
		view.Drifted, view.Quiet = view.Operations[:quiet], view.Operations[quiet:]
	}
	var b bytes.Buffer
	if err := p.html.Execute(&b, view); err != nil {
		http.Error(w, "page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
}

func (p *page) json(w http.ResponseWriter, _ *http.Request) {
	if p.radar == nil {
		http.Error(w, "the drift radar is off; --drift-sample=1 turns it on", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(p.radar.Report()) // the reader is gone
}

func (p *page) reset(w http.ResponseWriter, r *http.Request) {
	if p.radar != nil {
		p.radar.Reset()
	}
	http.Redirect(w, r, "/drift", http.StatusSeeOther)
}

// count writes a number with thousands apart.
func count(n uint64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}

// plural counts things whose plural ends in s.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return count(uint64(n)) + " " + thing + "s"
}

// percent never rounds something to nothing, nor almost all to all.
func percent(share float64) string {
	switch {
	case share <= 0:
		return "0 %"
	case share >= 1:
		return "100 %"
	case share < 0.01:
		return "< 1 %"
	case share > 0.99:
		return "> 99 %"
	}
	return fmt.Sprintf("%.0f %%", share*100)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// ago is how long before now something was, in its largest unit.
func ago(now, t time.Time) string {
	switch d := now.Sub(t); {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

// service and rpc are the two parts of an RPC's name.
func service(name string) string {
	s, _, _ := strings.Cut(name, "/")
	return s
}

func rpc(name string) string {
	_, r, _ := strings.Cut(name, "/")
	return r
}
