package drift

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// drifted is a radar that has something to show.
func drifted(t testing.TB) *Radar {
	r, b := quiet(t), binding(t, listUsers)
	r.tally(b).answered.Add(1234567)
	for range 25 {
		r.inspect(b, "", []byte(`{"data":[{"id":"1","shiny":true,"<script>":1}],"total":"1"}`))
	}
	r.tally(b).inspected.Add(25)
	return r
}

func request(t *testing.T, h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestThePageShowsWhatWasFound(t *testing.T) {
	w := request(t, Handler(drifted(t)), "GET", "/drift", "Accept", "text/html,application/json")
	body := w.Body.String()
	for _, want := range []string{"<code>data[].shiny</code>", "expected integer, came string", "boolean, not documented", "25 of 25", "<code>data[].{}</code>",
		"<code>data[].companyId</code>", "documented members never came", "1\u202f234\u202f567", "ListUsers"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(body, "<script") || w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d %v %s", w.Code, w.Header(), body)
	}
}

func TestTheReportAsJSON(t *testing.T) {
	h := Handler(drifted(t))
	for _, w := range []*httptest.ResponseRecorder{
		request(t, h, "GET", "/drift.json"), request(t, h, "GET", "/drift", "Accept", "application/json"),
	} {
		var got Report
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Header().Get("Content-Type") != "application/json" {
			t.Fatalf("%v: %v %s", err, w.Header(), w.Body)
		}
		if len(got.Operations) != 1 || len(got.Operations[0].Findings) != 3 || got.Operations[0].Answered != 1234567 {
			t.Errorf("got %+v", got)
		}
	}
}

func TestResetForgets(t *testing.T) {
	r := drifted(t)
	h := Handler(r)
	if w := request(t, h, "GET", "/drift/reset"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
	if w := request(t, h, "POST", "/drift/reset", "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden || len(r.Report().Operations) == 0 {
		t.Errorf("from another site: %d", w.Code)
	}
	if w := request(t, h, "POST", "/drift/reset", "Sec-Fetch-Site", "same-origin"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/drift" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if n := len(r.Report().Operations); n != 0 {
		t.Errorf("%d operations are left", n)
	}
}

func TestARadarThatIsOffSaysSo(t *testing.T) {
	h := Handler(nil)
	if w := request(t, h, "GET", "/drift"); w.Code != 200 || !strings.Contains(w.Body.String(), "--drift-sample") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := request(t, h, "GET", "/drift.json"); w.Code != 404 || !strings.Contains(w.Body.String(), "--drift-sample") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := request(t, h, "POST", "/drift/reset"); w.Code != http.StatusSeeOther {
		t.Errorf("%d", w.Code)
	}
}

func TestSharesAreNeverRoundedAway(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 1: "100 %", 0.001: "< 1 %", 0.999: "> 99 %", 0.25: "25 %"} {
		if got := percent(share); got != want {
			t.Errorf("%v is %q, want %q", share, got, want)
		}
	}
}
