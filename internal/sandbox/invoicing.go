package sandbox

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// billingFile is a file of the invoicing portal: an invoice (INV) or call and
// usage details (CDR) of a company and a month, as CSV. The columns are ours;
// the guide shows none.
type billingFile struct {
	CompanyID           string `json:"companyId"`
	BillingPeriod       string `json:"billingPeriod"` // YYYY-MM
	InvoiceType         string `json:"invoiceType"`
	FileType            string `json:"fileType"`
	InvoiceCreationDate string `json:"invoiceCreationDate"` // YYYY-MM-DD
	Path                string `json:"filepath"`
	Content             string `json:"sandboxContent"`
}

// billingFileView is an element of ListInvoices, a bare array.
type billingFileView struct {
	CompanyID           string `json:"companyId"`
	BillingPeriod       string `json:"billingPeriod"`
	InvoiceType         string `json:"invoiceType"`
	FileType            string `json:"fileType"`
	InvoiceCreationDate string `json:"invoiceCreationDate"`
	FilePath            string `json:"filepath"`
}

func invoicingRoutes() []route {
	const base = "/invoicing/v1.0"
	return []route{
		{http.MethodGet, base + "/about", open, false, about("1.229.0", "Rainbow Invoicing Portal (sandbox)")},
		{http.MethodGet, base + "/invoices", adminOnly, false, listInvoices},
		{http.MethodGet, base + "/invoices/services", adminOnly, false, detailedInvoice("services")},
		{http.MethodGet, base + "/invoices/conference", adminOnly, false, detailedInvoice("conference")},
		{http.MethodGet, base + "/invoices/{invoicePath=**}", adminOnly, false, downloadInvoice},
	}
}

// seedBillingFiles makes the files of January and February 2024 for the
// contract company and the BP companies: services, conference and voice, an
// invoice and details each.
func (w *world) seedBillingFiles() {
	var files []*billingFile
	for _, id := range []string{CompanyID, DistributorID, ResellerID, IndirectResellerID} {
		owner := w.companies.get(id)
		for month := 1; month <= 2; month++ {
			for _, kind := range []string{"services", "conference", "voice"} {
				for _, fileType := range []string{"INV", "CDR"} {
					files = append(files, newBillingFile(owner, month, kind, fileType))
				}
			}
		}
	}
	w.billingFiles.load(files)
}

func newBillingFile(owner *company, month int, kind, fileType string) *billingFile {
	f := &billingFile{
		CompanyID: owner.ID, BillingPeriod: fmt.Sprintf("2024-%02d", month), InvoiceType: kind, FileType: fileType,
		InvoiceCreationDate: fmt.Sprintf("2024-%02d-10", month+1),
	}
	tag := map[string]string{"services": "SERV", "conference": "CONF", "voice": "VOICE"}[kind]
	account := strings.ReplaceAll(strings.ToLower(owner.Name), " ", "_")
	parts := slices.DeleteFunc([]string{fileType, tag, f.InvoiceCreationDate, owner.BpType, account}, func(s string) bool { return s == "" })
	f.Path = path.Join(owner.ID, f.BillingPeriod, kind, strings.Join(parts, "_")+".csv")
	lines := []string{"billingPeriod;companyId;companyName;item;quantity;unitPrice;amount;currency"}
	if fileType == "CDR" {
		lines = []string{"date;companyId;type;from;to;duration;cost;currency"}
	}
	for n := 1; n <= 3; n++ {
		if fileType == "INV" {
			lines = append(lines, fmt.Sprintf("%s;%s;%s;%s %d;%d;%d.50;%d.00;EUR", f.BillingPeriod, owner.ID, owner.Name, kind, n, 2*n, n, 2*n*n+n))
			continue
		}
		lines = append(lines, fmt.Sprintf("%s-%02dT09:00:00Z;%s;%s;+3319900%04d;+33298300%03d;%d;0.%02d;EUR", f.BillingPeriod, n, owner.ID, kind, n, 500+n, 60*n, n))
	}
	f.Content = strings.Join(lines, "\n") + "\n"
	return f
}

// listInvoices answers ListInvoices. companyId wins over bpType, an exact
// creation date over the bounds, which are strict (guide).
func listInvoices(w *world, c *call) (any, error) {
	companies, err := c.invoicedCompanies(w)
	if err != nil {
		return nil, err
	}
	faults := &object{}
	texts := map[string]string{}
	for name, allowed := range map[string][]string{"invoiceType": {"services", "conference", "voice"}, "fileType": {"INV", "CDR"}} {
		if texts[name] = c.query.text(name); texts[name] != "" && !slices.Contains(allowed, texts[name]) {
			faults.bad(name, fmt.Sprintf("%s must be one of %s", name, strings.Join(allowed, ", ")), texts[name])
		}
	}
	for _, name := range []string{"invoiceCreationDate", "fromInvoiceCreationDate", "toInvoiceCreationDate"} {
		texts[name] = c.query.text(name)
		if _, err := time.Parse(time.DateOnly, texts[name]); texts[name] != "" && err != nil {
			faults.bad(name, name+" must be a date YYYY-MM-DD", texts[name])
		}
	}
	if err := faults.fault(); err != nil {
		return nil, err
	}
	exact, from, to := texts["invoiceCreationDate"], texts["fromInvoiceCreationDate"], texts["toInvoiceCreationDate"]
	list := []billingFileView{}
	for _, f := range filter(w.billingFiles.all(), []func(*billingFile) bool{
		func(f *billingFile) bool { return slices.Contains(companies, f.CompanyID) },
		equals(c.query, "billingPeriod", func(f *billingFile) string { return f.BillingPeriod }),
		equals(c.query, "invoiceType", func(f *billingFile) string { return f.InvoiceType }),
		equals(c.query, "fileType", func(f *billingFile) string { return f.FileType }),
		func(f *billingFile) bool {
			if exact != "" {
				return f.InvoiceCreationDate == exact
			}
			return f.InvoiceCreationDate > from && (to == "" || f.InvoiceCreationDate < to)
		},
	}) {
		list = append(list, billingFileView{f.CompanyID, f.BillingPeriod, f.InvoiceType, f.FileType, f.InvoiceCreationDate, f.Path})
	}
	return list, nil
}

// invoicedCompanies answers the companies of a list of invoices: the one asked
// for; for a superadmin those of a type of BP (VAD unless he says so); else the
// caller's own.
func (c *call) invoicedCompanies(w *world) ([]string, error) {
	if id := c.query.text("companyId"); id != "" {
		return []string{id}, c.knownCompany(w, id)
	}
	if !c.actsAs("superadmin") {
		return []string{c.caller.CompanyID}, nil
	}
	wanted := c.query.text("bpType")
	if wanted == "" {
		wanted = bpVAD
	}
	if !slices.Contains([]string{bpVAD, bpDR, bpIR}, wanted) {
		return nil, badParam("bpType", "bpType must be one of VAD, DR, IR", wanted)
	}
	var list []string
	for _, company := range w.companies.all() {
		if company.BpType == wanted {
			list = append(list, company.ID)
		}
	}
	return list, nil
}

// downloadInvoice answers DownloadInvoice: the file of a path, which holds
// slashes.
func downloadInvoice(w *world, c *call) (any, error) {
	f := w.billingFiles.get(c.path["invoicePath"])
	if f == nil {
		return nil, notFound("Invoice %s does not exist.", c.path["invoicePath"])
	}
	return f.download(), c.inCharge(f.CompanyID)
}

func (f *billingFile) download() *rawAnswer {
	return &rawAnswer{contentType: "text/csv", disposition: `attachment; filename="` + path.Base(f.Path) + `"`, body: []byte(f.Content)}
}

// detailedInvoice answers the two older calls of rainbow-cli: the invoice of a
// kind for a month, of the latest one when none is named.
func detailedInvoice(kind string) func(*world, *call) (any, error) {
	return func(w *world, c *call) (any, error) {
		companyID, err := c.companyID(w)
		if err != nil {
			return nil, err
		}
		period := ""
		if year := c.query.number("year", 0); year > 0 {
			period = fmt.Sprintf("%04d-%02d", year, c.query.number("month", 0))
		}
		for _, f := range slices.Backward(w.billingFiles.all()) {
			if f.CompanyID == companyID && f.InvoiceType == kind && f.FileType == "INV" && (period == "" || f.BillingPeriod == period) {
				return f.download(), nil
			}
		}
		return nil, notFound("Company %s has no %s invoice of that month.", companyID, kind)
	}
}
