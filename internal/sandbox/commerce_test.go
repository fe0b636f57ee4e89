package sandbox_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

func actis(company string, offers ...string) string {
	lines := ""
	for _, o := range offers {
		reference, quantity, _ := strings.Cut(o, "x")
		lines += "<OFFER><SAPREFERENCE>" + reference + "</SAPREFERENCE><QUANTITY>" + quantity + "</QUANTITY></OFFER>"
	}
	return "<ACTIS><PURCHASEORDER>PO-1</PURCHASEORDER><IRCOMPANY><NAME>" + company + "</NAME></IRCOMPANY><OFFERS>" + lines + "</OFFERS></ACTIS>"
}

func TestSubscriptionsFromFile(t *testing.T) {
	r := start(t, sandbox.Options{})
	vad, ir := r.as("bpfinance@vad.example"), r.as("bpadmin@ir.example")
	target := subscriptionsOf(sandbox.DistributorID) + "/files"
	listed := func() int { return ir.get(subscriptionsOf(sandbox.IndirectResellerID)).ok().size("data") }
	before := listed()
	vad.post(target+"?preview=true", actis("Indirect Reseller", "3EY95101ABx7")).ok().want("data", "[]", "errors", "[]", "report.offers.0", "Business 1Year", "report.preview", "true")
	if listed() != before {
		t.Error("a preview creates subscriptions")
	}
	vad.post(target, actis("Indirect Reseller", "3EY95101ABx7", "3EY95301AAx2", "nonex1", "3EY95101ABx0")).ok().want(
		"data.0.companyId", sandbox.IndirectResellerID, "data.0.maxNumberUsers", "7", "data.0.isPrepaid", "true", "data.0.purchaseOrderNumber", "PO-1",
		"errors.0.message", "offer Voice Enterprise is not a prepaid offer", "errors.1.sapReference", "none", "errors.2.message", "quantity must be greater than 0",
		"status", "ACTIS file uploaded, but some errors occurred.")
	if listed() != before+1 {
		t.Errorf("%d subscriptions, want one more than %d", listed(), before)
	}
	vad.post(target, actis("Nobody", "3EY95101ABx7")).ok().want("data", "[]", "errors.0.message", "IRCOMPANY is not a BP IR company of Valor Distribution")

	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	member, err := z.Create("order.xpo2")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(member, actis("of the DR, not looked at", "3EY95301AAx2", "3EY95101ABx1"))
	z.Close()
	dr := subscriptionsOf(sandbox.ResellerID) + "/files"
	r.as("bpfinance@dr.example").post(dr, archive.String()).ok().want("data.0.companyId", sandbox.ResellerID, "data.0.offerName", "Voice Enterprise",
		"data.1.offerName", "Business 1Year", "errors", "[]", "status", "ACTIS file successfully uploaded.")

	for name, body := range map[string]string{
		"text": "hello", "other XML": "<a/>", "a broken archive": "PK\x03\x04rest", "nothing": "",
	} {
		t.Run(name, func(t *testing.T) { vad.post(target, body).fails(400, 400000) })
	}
	vad.post(target, strings.Repeat(" ", 4<<20+1)).fails(413, 413000)
	ir.post(subscriptionsOf(sandbox.IndirectResellerID)+"/files", actis("x", "3EY95101ABx7")).fails(403, 403100)
	r.post(subscriptions+"/files", actis("x", "3EY95101ABx7")).fails(403, 403100)
}

func TestBillsOfPartners(t *testing.T) {
	r := start(t, sandbox.Options{})
	bills := func(id string) string { return licence + "/companies/" + id + "/invoices" }
	vad, both := r.as("bpfinance@vad.example"), r.as("channel@vad.example")
	a := vad.get(bills(sandbox.DistributorID)).ok().want("total", "2", "data.0.invoiceDate", "2024-03-10", "data.1.invoiceDate", "2024-02-10")
	if n := len(a.at("data.0").(map[string]any)); n != 8 {
		t.Errorf("format small has %d members, want 8", n)
	}
	vad.get(bills(sandbox.DistributorID)+"?format=medium").ok().want("data.0.accountName", "Valor Distribution", "data.0.invoiceItems.0.quantity", "20")
	vad.get(bills(sandbox.DistributorID)+"?format=full").ok().want("data.0.updatedDate", "2024-03-10T06:00:00.000Z")
	vad.get(bills(sandbox.ResellerID)).fails(403, 403301)
	both.get(bills(sandbox.ResellerID)).ok().want("total", "2")
	both.get(bills(sandbox.CompanyID)).fails(403, 403301)
	r.as("superadmin@rainbow.example").get(bills(sandbox.IndirectResellerID)).fails(403, 403100) // only VAD and DR have invoices
	r.as("orgadmin@subsidiary.example").get(bills(sandbox.SubsidiaryCompanyID)).fails(403, 403000)
	file := vad.get(bills(sandbox.DistributorID) + "/files/" + a.text("data.0.invoiceFiles.0.id"))
	if file.status != 200 || file.contentType != "application/pdf" {
		t.Fatalf("file: %d %s", file.status, file.contentType)
	}
	checkPDF(t, file.body, "Invoice INV00000002")
	vad.get(bills(sandbox.DistributorID)+"/files/5b7d0c0ffeef0000000000aa").fails(404, 404000)
	both.get(bills(sandbox.ResellerID)+"/files/"+a.text("data.0.invoiceFiles.0.id")).fails(404, 404000) // of another company
}

// checkPDF follows the cross-reference table as a reader would.
func checkPDF(t *testing.T, raw []byte, text string) {
	t.Helper()
	if !bytes.HasPrefix(raw, []byte("%PDF-1.4\n")) || !bytes.HasSuffix(raw, []byte("%%EOF\n")) || !bytes.Contains(raw, []byte("("+text+")")) {
		t.Fatalf("not the PDF of %q: %.200q", text, raw)
	}
	at, err := strconv.Atoi(string(regexp.MustCompile(`startxref\n(\d+)\n`).FindSubmatch(raw)[1]))
	if err != nil || !bytes.HasPrefix(raw[at:], []byte("xref\n0 6\n")) {
		t.Fatalf("startxref points at %.20q", raw[at:])
	}
	for i, entry := range regexp.MustCompile(`(\d{10}) 00000 n \n`).FindAllSubmatch(raw[at:], -1) {
		offset, _ := strconv.Atoi(string(entry[1]))
		if !bytes.HasPrefix(raw[offset:], fmt.Appendf(nil, "%d 0 obj\n", i+1)) {
			t.Errorf("object %d is not at its offset: %.20q", i+1, raw[offset:])
		}
	}
	stream := regexp.MustCompile(`(?s)/Length (\d+) >>\nstream\n(.*)endstream`).FindSubmatch(raw)
	if n, _ := strconv.Atoi(string(stream[1])); n != len(stream[2]) {
		t.Errorf("stream of %d bytes has length %d", len(stream[2]), n)
	}
}

const invoicing = "/api/rainbow/invoicing/v1.0"

func TestInvoiceFiles(t *testing.T) {
	r := start(t, sandbox.Options{})
	list := func(as *rainbow, query string) answer {
		a := as.get(invoicing + "/invoices" + query).ok()
		a.body = append(append([]byte(`{"data":`), a.body...), '}') // the answer is a bare array
		return a
	}
	count := func(as *rainbow, query string, want int) {
		t.Helper()
		if got := list(as, query).size("data"); got != want {
			t.Errorf("%s: %d invoices, want %d", query, got, want)
		}
	}
	count(r, "", 12)
	count(r, "?billingPeriod=2024-01", 6)
	count(r, "?invoiceType=voice&fileType=CDR", 2)
	count(r, "?invoiceCreationDate=2024-02-10&fromInvoiceCreationDate=2024-03-10", 6)
	count(r, "?fromInvoiceCreationDate=2024-02-10", 6) // strictly after
	count(r, "?toInvoiceCreationDate=2024-03-10", 6)
	r.get(invoicing+"/invoices?invoiceType=x&fileType=y").fails(400, 400000)
	r.get(invoicing+"/invoices?invoiceCreationDate=10.02.2024").fails(400, 400000)
	r.get(invoicing+"/invoices?companyId="+sandbox.DistributorID).fails(403, 403301)
	root := r.as("superadmin@rainbow.example")
	count(root, "", 12)
	list(root, "").want("data.0.companyId", sandbox.DistributorID) // VAD applies by default
	list(root, "?bpType=IR").want("data.0.companyId", sandbox.IndirectResellerID)
	list(root, "?bpType=IR&companyId="+sandbox.CompanyID).want("data.0.companyId", sandbox.CompanyID)
	root.get(invoicing+"/invoices?bpType=XX").fails(400, 400000)
	path := list(r, "?invoiceType=services&fileType=CDR").text("data.0.filepath")
	if path != sandbox.CompanyID+"/2024-01/services/CDR_SERV_2024-02-10_sandbox_company.csv" {
		t.Errorf("filepath is %q", path)
	}
	file := r.get(invoicing + "/invoices/" + path)
	if file.status != 200 || file.contentType != "text/csv" || !strings.Contains(file.header.Get("Content-Disposition"), "CDR_SERV_2024-02-10") {
		t.Fatalf("file: %d %s %s", file.status, file.contentType, file.header)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(file.body)), "\n") {
		if strings.Count(line, ";") != 7 {
			t.Errorf("line %d: %s", i+1, line)
		}
	}
	r.as("bpfinance@vad.example").get(invoicing+"/invoices/"+path).fails(403, 403301)
	r.get(invoicing+"/invoices/"+sandbox.CompanyID+"/2024-01/services/none.csv").fails(404, 404000)
	for _, kind := range []string{"services", "conference"} {
		if a := r.get(invoicing + "/invoices/" + kind + "?year=2024&month=1"); a.status != 200 || !strings.Contains(string(a.body), "2024-01;") {
			t.Errorf("%s: %d %s", kind, a.status, a.body)
		}
		r.get(invoicing+"/invoices/"+kind+"?year=2019&month=1").fails(404, 404000)
	}
}

func TestApplicationTokenMustMatch(t *testing.T) {
	r := start(t, sandbox.Options{})
	with := func(token string) answer {
		return r.send("GET", admin+"/users", "", map[string][]string{"Authorization": {"Bearer " + r.token}, "Apikey": {token}})
	}
	with("wrong").fails(403, 403100).want("errorMsg", "Not Allowed")
	with(sandbox.AppToken).ok()
}
