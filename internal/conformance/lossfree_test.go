package conformance_test

import (
	"bytes"
	"flag"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// documentsDrawn is how many pairs of documents an ordinary run draws for each operation and door. More:
//
//	go test ./internal/conformance -run Drawn -rapid.checks=1000
const documentsDrawn = 3

func TestMain(m *testing.M) {
	flag.Parse()
	defaults := map[string]string{"rapid.checks": strconv.Itoa(documentsDrawn), "rapid.shrinktime": "2s", "rapid.nofailfile": "true"}
	flag.Visit(func(f *flag.Flag) { delete(defaults, f.Name) })
	for name, value := range defaults {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// hasDocuments tells whether an operation has a JSON body or a JSON answer.
func (o operation) hasDocuments() bool {
	return o.binding.ResponseMedia == "" || o.binding.Body != nil && o.binding.RequestMedia == ""
}

// TestDrawnDocumentsPassBothDoors: whatever JSON a caller sends and upstream answers, REST passes its bytes, and gRPC
// rebuilds its value.
func TestDrawnDocumentsPassBothDoors(t *testing.T) {
	stub := startReplay(t)
	g := startGateway(t, stub.URL)
	rest, grpc := restDoor{g}, newGRPCDoor(g)
	failed := 0
	for _, op := range catalogue(t) {
		if !op.hasDocuments() || failed == 3 { // three tell what a hundred would
			continue
		}
		if !t.Run(op.name(), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { passBothDoors(t, rt, stub, rest, grpc, op) })
		}) {
			failed++
		}
	}
}

// FuzzDrawnDocuments draws on, guided by coverage, over all operations.
func FuzzDrawnDocuments(f *testing.F) {
	stub := startReplay(f)
	g := startGateway(f, stub.URL)
	rest, grpc := restDoor{g}, newGRPCDoor(g)
	all := slices.DeleteFunc(catalogue(f), func(o operation) bool { return !o.hasDocuments() })
	f.Add(bytes.Repeat([]byte("\x01\x80\xff\x33\x00\x5a\x9c"), 600))
	f.Fuzz(func(t *testing.T, data []byte) {
		rapid.MakeFuzz(func(rt *rapid.T) {
			op := all[rapid.IntRange(0, len(all)-1).Draw(rt, "operation")]
			passBothDoors(t, rt, stub, rest, grpc, op)
		})(t, data)
	})
}

func passBothDoors(t testing.TB, rt *rapid.T, stub *replay, rest restDoor, grpc grpcDoor, op operation) {
	r := op.sent(t)
	if op.binding.Body != nil && op.binding.RequestMedia == "" {
		r.body = document(rt, op.binding.Body.Message())
	}
	answer := reply{http.StatusOK, http.Header{}, "application/json; charset=utf-8", nil}
	switch {
	case op.binding.ResponseMedia != "":
		answer.media, answer.body = content(t, op.binding.ResponseMedia)
	case op.binding.ResponseBody != nil:
		answer.body = listDocument(rt, op.binding.ResponseBody.Message())
	default:
		answer.body = document(rt, op.binding.Output.Descriptor())
	}

	id := stub.expect(answer)
	r.header.Set(correlationID, id)
	got, was := rest.call(t, r), stub.one(t, id)
	if !bytes.Equal(was.body, r.body) {
		rt.Fatalf("REST: upstream got\n%q\nsent was\n%q", was.body, r.body)
	}
	if got.status != answer.status || got.media != answer.media || !bytes.Equal(got.body, answer.body) {
		rt.Fatalf("REST: the caller got %d %q\n%q\nanswered was\n%q", got.status, got.media, got.body, answer.body)
	}

	id = stub.expect(answer)
	r.header.Set(correlationID, id)
	got, was = grpc.call(t, r), stub.one(t, id)
	if op.binding.Body != nil && op.binding.RequestMedia == "" {
		sameDocument(rt, "the request", r.body, was.body)
	}
	if op.binding.ResponseMedia == "" {
		sameDocument(rt, "the answer", answer.body, got.body)
	}
}

// sameDocument compares documents by value. Members that a message does not have keep their order.
func sameDocument(rt *rapid.T, what string, before, after []byte) {
	a, err := readTree(before)
	if err != nil {
		rt.Fatalf("%s: drawn text: %v: %s", what, err, before)
	}
	b, err := readTree(after)
	if err != nil {
		rt.Fatalf("%s: %v: %s", what, err, after)
	}
	if d := differs(a, b, ""); d != "" {
		rt.Fatalf("%s lost something at %s\nbefore %s\nafter  %s", what, d, before, after)
	}
	if !ordered(a, b) {
		rt.Fatalf("%s: unknown members changed places\nbefore %s\nafter  %s", what, before, after)
	}
}

// ordered tells whether the members that no message has come in the same order, at every depth.
func ordered(a, b tree) bool {
	unknown := map[string]bool{}
	for _, quoted := range unknownNames() {
		name, _ := readTree([]byte(quoted))
		unknown[name.text] = true
	}
	return sameOrder(a, b, unknown)
}

func sameOrder(a, b tree, unknown map[string]bool) bool {
	known := func(name string) bool { return !unknown[name] }
	if !slices.Equal(slices.DeleteFunc(slices.Clone(a.names), known), slices.DeleteFunc(slices.Clone(b.names), known)) {
		return false
	}
	for i, member := range a.members {
		j := i
		if a.kind == '{' {
			j = slices.Index(b.names, a.names[i])
		}
		if !sameOrder(member, b.members[j], unknown) {
			return false
		}
	}
	return true
}
