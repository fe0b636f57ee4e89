package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

const (
	// ddiPath is the read that is measured, invoicePath the download and importPath the upload.
	ddiPath     = "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/5b7d0c0ffee0000000000101/phone-numbers/ddi"
	invoicePath = "/api/rainbow/invoicing/v1.0/invoices/2026/11/big.csv"
	importPath  = "/api/rainbow/massprovisioning/v1.0/users/imports"

	// blobSize is the size of a download and of an upload in bytes.
	blobSize = 100 << 20
)

// ddiPage is an answer of about 2 KB, of which every member is documented.
func ddiPage() []byte {
	var rows []string
	for i := range 7 {
		rows = append(rows, fmt.Sprintf(`{"id":"5b7d0c0ffee000000000%04d","firstName":"Alice","lastName":"Martin","type":"ddi",`+
			`"isFromSystem":true,"isMonitored":false,"isVisibleByOthers":true,"userId":"5b7d0c0ffee0000000%06d",`+
			`"number":"298300%04d","numberE164":"+33298300%04d","systemId":"5b7d0c0ffee0000000000101","country":"FRA",`+
			`"isCloudPbxDefault":false}`, i, i, i, i))
	}
	return []byte(`{"data":[` + strings.Join(rows, ",") + `],"limit":100,"offset":0,"total":7}`)
}

// newStub answers as fast as net/http can, and tells at /connections how many it has accepted.
func newStub(admin *http.ServeMux) func(net.Listener) error {
	var connections atomic.Int64
	admin.HandleFunc("GET /connections", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, connections.Load())
	})
	page := ddiPage()
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+ddiPath, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h["Content-Type"] = []string{"application/json; charset=utf-8"}
		h["Content-Length"] = []string{strconv.Itoa(len(page))}
		h["X-Rainbow-Request-Id"] = []string{"5b7d0c0ffee0000000000001"}
		_, _ = w.Write(page)
	})
	mux.HandleFunc("GET "+invoicePath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(blobSize))
		_, _ = io.Copy(w, io.LimitReader(zeros{}, blobSize))
	})
	mux.HandleFunc("POST "+importPath, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || n != blobSize {
			http.Error(w, fmt.Sprintf("%d bytes came: %v", n, err), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write([]byte(`{"data":{}}`))
	})
	server := &http.Server{Handler: mux, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}}
	return server.Serve
}

// zeros is a text without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}
