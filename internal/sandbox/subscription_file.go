package sandbox

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
)

// The ACTIS file of CreateSubscriptionsFromFile: plain XML (.xpo2), or a zip
// archive that holds it (.SAP). The guide names the section IRCOMPANY and
// nothing else of the XML; the other elements are ours.
type actisFile struct {
	XMLName   xml.Name
	Order     string       `xml:"PURCHASEORDER"`
	IRCompany actisCompany `xml:"IRCOMPANY"`
	Offers    []actisOffer `xml:"OFFERS>OFFER"`
}

type actisCompany struct {
	ID   string `xml:"COMPANYID"`
	Name string `xml:"NAME"`
}

type actisOffer struct {
	SapReference string `xml:"SAPREFERENCE"`
	Quantity     int    `xml:"QUANTITY"`
	Duration     int    `xml:"DURATION"` // months
}

const maxActisBytes = 4 << 20

// actisProblem is an element of warnings and errors.
type actisProblem struct {
	Message      string `json:"message"`
	SapReference string `json:"sapReference,omitempty"`
}

// actisAnswer has no data envelope only: report, warnings, errors and status
// stand beside it.
type actisAnswer struct {
	Data     []any          `json:"data"`
	Report   map[string]any `json:"report"`
	Warnings []actisProblem `json:"warnings"`
	Errors   []actisProblem `json:"errors"`
	Status   string         `json:"status"`
}

// createSubscriptionsFromFile answers 200 also when offers failed, with what
// failed in errors. The subscriptions are those of the BP IR that the file of a
// VAD names, or of the BP DR itself. With preview=true nothing is created.
func createSubscriptionsFromFile(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	if company.BpType != bpVAD && company.BpType != bpDR {
		return nil, forbidden(codeAccessDenied, "Access denied: company %s is not a BP VAD or BP DR company", company.ID)
	}
	file, err := readActis(c.body)
	if err != nil {
		return nil, err
	}
	preview := c.query.flag("preview")
	a := &actisAnswer{Data: []any{}, Warnings: []actisProblem{}, Errors: []actisProblem{}, Status: "ACTIS file successfully uploaded."}
	target := w.actisTarget(company, file, a)
	offers := []string{}
	for _, line := range file.Offers {
		p, of := w.readActisOffer(c, company, line, a)
		if p == nil || target == nil {
			continue
		}
		offers = append(offers, of.Name)
		if preview != nil && *preview {
			continue
		}
		p.CompanyID, p.PurchaseOrderNumber = target.ID, strings.TrimSpace(file.Order)
		w.order(c, p, of)
		a.Data = append(a.Data, w.subscriptionDocument(p, "full"))
	}
	a.Report = map[string]any{"file": map[string]any{"offers": len(file.Offers)}, "offers": offers, "preview": preview != nil && *preview}
	if target != nil {
		a.Report["company"] = map[string]string{"id": target.ID, "name": target.Name}
	}
	if len(a.Errors) > 0 {
		a.Status = "ACTIS file uploaded, but some errors occurred."
	}
	return a, nil
}

// actisTarget answers the company that gets the subscriptions; nil, with an
// error noted, when the file names none of the VAD's resellers.
func (w *world) actisTarget(bp *company, file *actisFile, a *actisAnswer) *company {
	if bp.BpType == bpDR { // its IRCOMPANY section is not validated (guide)
		return bp
	}
	_, irs := splitPartners(w.customersOf(bp.ID))
	i := slices.IndexFunc(irs, func(c *company) bool {
		return c.ID == strings.TrimSpace(file.IRCompany.ID) || strings.EqualFold(c.Name, strings.TrimSpace(file.IRCompany.Name))
	})
	if i < 0 {
		a.Errors = append(a.Errors, actisProblem{Message: "IRCOMPANY is not a BP IR company of " + bp.Name})
		return nil
	}
	return irs[i]
}

// readActisOffer answers a subscription that is not put yet, or nil when the
// line is at fault.
func (w *world) readActisOffer(c *call, bp *company, line actisOffer, a *actisAnswer) (*subscription, *offer) {
	reference := strings.TrimSpace(line.SapReference)
	fail := func(format string, args ...any) (*subscription, *offer) {
		a.Errors = append(a.Errors, actisProblem{fmt.Sprintf(format, args...), reference})
		return nil, nil
	}
	list := w.offersFor(bp)
	i := slices.IndexFunc(list, func(o *offer) bool { return o.SapReference == reference && o.isSellable() })
	if i < 0 {
		return fail("no offer of the catalog has this SAP reference")
	}
	of := list[i]
	switch {
	case bp.BpType == bpVAD && !of.IsPrepaid:
		return fail("offer %s is not a prepaid offer", of.Name)
	case line.Quantity <= 0:
		return fail("quantity must be greater than 0")
	}
	duration := of.PrepaidDuration
	switch {
	case line.Duration > duration && line.Duration <= 60 && of.IsPrepaid:
		duration = line.Duration
	case line.Duration != 0 && line.Duration != duration:
		a.Warnings = append(a.Warnings, actisProblem{fmt.Sprintf("duration %d is replaced by that of the offer", line.Duration), reference})
	}
	p := &subscription{OfferID: of.ID, MaxNumberUsers: line.Quantity, CreationDate: timestamp(c.now)}
	if of.IsPrepaid {
		p.AutoRenew, p.PrepaidDuration, p.ExpirationDate = true, duration, timestamp(c.now.AddDate(0, duration, 0))
	}
	return p, of
}

// readActis parses the body; what is not an ACTIS file is a 400.
func readActis(body []byte) (*actisFile, error) {
	if len(body) > maxActisBytes {
		return nil, &apiError{Status: http.StatusRequestEntityTooLarge, Code: codeFileTooLarge, Details: "ACTIS file is limited to 4 MB"}
	}
	if bytes.HasPrefix(body, []byte("PK\x03\x04")) {
		plain, err := unzipActis(body)
		if err != nil {
			return nil, badRequest("ACTIS file is not a readable archive: %s", err)
		}
		body = plain
	}
	file := &actisFile{}
	if err := xml.Unmarshal(body, file); err != nil {
		return nil, badRequest("ACTIS file could not be parsed: %s", err)
	}
	if len(file.Offers) == 0 {
		return nil, badRequest("ACTIS file has not the expected structure: no OFFERS section with an OFFER")
	}
	return file, nil
}

// unzipActis answers the first XML member of an archive.
func unzipActis(body []byte) ([]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, err
	}
	for _, member := range archive.File {
		if ext := strings.ToLower(path.Ext(member.Name)); ext != ".xpo2" && ext != ".xml" {
			continue
		}
		f, err := member.Open()
		if err != nil {
			return nil, err
		}
		defer f.Close()
		plain, err := io.ReadAll(io.LimitReader(f, maxActisBytes+1))
		if err == nil && len(plain) > maxActisBytes {
			err = fmt.Errorf("%s is larger than 4 MB", member.Name)
		}
		return plain, err
	}
	return nil, fmt.Errorf("no .xpo2 file in it")
}
