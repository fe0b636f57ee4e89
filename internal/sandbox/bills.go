package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// bill is an invoice of the billing system (Zuora), which BP VAD and BP DR
// companies get.
type bill struct {
	ID            string     `json:"id"`
	CompanyID     string     `json:"companyId"`
	AccountName   string     `json:"accountName"`
	InvoiceDate   string     `json:"invoiceDate"`
	InvoiceNumber string     `json:"invoiceNumber"`
	DueDate       string     `json:"dueDate"`
	Amount        float64    `json:"amount"`
	Balance       float64    `json:"balance"`
	Status        string     `json:"status"`
	UpdatedDate   string     `json:"updatedDate"`
	InvoiceFiles  []fileID   `json:"invoiceFiles"`
	InvoiceItems  []billItem `json:"invoiceItems"`
}

type fileID struct {
	ID string `json:"id"`
}

type billItem struct {
	ID               string  `json:"id"`
	SubscriptionName string  `json:"subscriptionName"`
	ServiceStartDate string  `json:"serviceStartDate"`
	ServiceEndDate   string  `json:"serviceEndDate"`
	ChargeAmount     float64 `json:"chargeAmount"`
	ChargeName       string  `json:"chargeName"`
	Quantity         int     `json:"quantity"`
}

// smallBill and mediumBill are the two shorter formats of ListCompanyInvoices.
type smallBill struct {
	ID            string   `json:"id"`
	InvoiceDate   string   `json:"invoiceDate"`
	InvoiceNumber string   `json:"invoiceNumber"`
	DueDate       string   `json:"dueDate"`
	Amount        float64  `json:"amount"`
	Balance       float64  `json:"balance"`
	Status        string   `json:"status"`
	InvoiceFiles  []fileID `json:"invoiceFiles"`
}

type mediumBill struct {
	smallBill
	AccountName  string     `json:"accountName"`
	InvoiceItems []billItem `json:"invoiceItems"`
}

func billRoutes() []route {
	const invoices = "/subscription/v1.0/companies/{companyId}/invoices"
	return []route{
		{http.MethodGet, invoices, adminOnly, false, listBills},
		{http.MethodGet, invoices + "/files/{fileId}", adminOnly, false, getBillFile},
	}
}

// seedBills makes two invoices of two months for the VAD and the DR, and the
// files of the invoicing portal.
func (w *world) seedBills() {
	var bills []*bill
	for i, owner := range []string{DistributorID, ResellerID} {
		for month := 1; month <= 2; month++ {
			n := 10*i + month
			amount := float64(100*month) + 20.5
			bills = append(bills, &bill{
				ID: seedID(idPartner, 600+n), CompanyID: owner, AccountName: w.companyName(owner), InvoiceNumber: fmt.Sprintf("INV%08d", n),
				InvoiceDate: fmt.Sprintf("2024-%02d-10", month+1), DueDate: fmt.Sprintf("2024-%02d-09", month+2), Amount: amount,
				Balance: float64(month-1) * amount, Status: "Posted", UpdatedDate: fmt.Sprintf("2024-%02d-10T06:00:00.000Z", month+1),
				InvoiceFiles: []fileID{{seedID(idPartner, 650+n)}},
				InvoiceItems: []billItem{{
					ID: seedID(idPartner, 700+n), SubscriptionName: fmt.Sprintf("A-S%08d", n), ChargeName: "Voice Enterprise", Quantity: 10 * month,
					ServiceStartDate: fmt.Sprintf("2024-%02d-01", month), ServiceEndDate: fmt.Sprintf("2024-%02d-01", month+1), ChargeAmount: amount,
				}},
			})
		}
	}
	w.bills.load(bills)
	w.seedBillingFiles()
}

// billedCompany answers the company of the path. Only BP VAD and BP DR
// companies have invoices, and who is organization_admin alone sees none (the
// guide names users being both bp_finance and organization_admin).
func (c *call) billedCompany(w *world) (*company, error) {
	if !c.actsAs("superadmin", "bp_finance") {
		return nil, c.roleMissing("superadmin", "bp_finance")
	}
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	if company.BpType != bpVAD && company.BpType != bpDR {
		return nil, forbidden(codeAccessDenied, "Access denied: company %s is not a BP DR or BP VAD company", company.ID)
	}
	return company, nil
}

func (w *world) billsOf(companyID string) []*bill {
	list := slices.DeleteFunc(w.bills.all(), func(b *bill) bool { return b.CompanyID != companyID })
	slices.SortStableFunc(list, func(a, b *bill) int { return strings.Compare(b.UpdatedDate, a.UpdatedDate) })
	return list
}

// listBills answers ListCompanyInvoices, the newest first by updatedDate.
func listBills(w *world, c *call) (any, error) {
	company, err := c.billedCompany(w)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, b := range w.billsOf(company.ID) {
		small := smallBill{b.ID, b.InvoiceDate, b.InvoiceNumber, b.DueDate, b.Amount, b.Balance, b.Status, b.InvoiceFiles}
		switch c.query.text("format") {
		case "full":
			list = append(list, b)
		case "medium":
			list = append(list, mediumBill{small, b.AccountName, b.InvoiceItems})
		default:
			list = append(list, small)
		}
	}
	return map[string]any{"data": list, "total": len(list)}, nil
}

// getBillFile answers GetInvoiceFile: the invoice as a PDF.
func getBillFile(w *world, c *call) (any, error) {
	company, err := c.billedCompany(w)
	if err != nil {
		return nil, err
	}
	for _, b := range w.billsOf(company.ID) {
		if slices.Contains(b.InvoiceFiles, fileID{c.path["fileId"]}) {
			return &rawAnswer{contentType: "application/pdf", disposition: `attachment; filename="` + b.InvoiceNumber + `.pdf"`, body: b.pdf()}, nil
		}
	}
	return nil, notFound("Invoice file with id %s does not exist.", c.path["fileId"])
}

func (b *bill) pdf() []byte {
	lines := []string{
		"Invoice " + b.InvoiceNumber, "Account: " + b.AccountName, "Date: " + b.InvoiceDate, "Due: " + b.DueDate, "",
	}
	for _, i := range b.InvoiceItems {
		lines = append(lines, fmt.Sprintf("%s  %s to %s  %d x  %.2f EUR", i.ChargeName, i.ServiceStartDate, i.ServiceEndDate, i.Quantity, i.ChargeAmount))
	}
	return pdfPage(append(lines, "", fmt.Sprintf("Total: %.2f EUR", b.Amount)))
}
