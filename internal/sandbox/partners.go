package sandbox

import (
	"slices"
	"strings"
)

// catalogue is the list of offers assigned to companies: what they see, and
// what a BP company may sell.
type catalogue struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	OfferIDs []string `json:"offerIds"`
}

// partnerTables is the part of the world that is not telephony: catalogues,
// invoices, directories, tenants and the credentials beside passwords.
type partnerTables struct {
	catalogues       *table[catalogue]
	bills            *table[bill]
	billingFiles     *table[billingFile]
	directoryEntries *table[directoryEntry]
	directoryImports *table[directoryImport]
	tenants          *table[tenant]
	apiKeys          *table[apiKey]
	grants           *table[grant]

	apiKeyOf map[string]string // hash of the key -> its id
}

func (w *world) wirePartners(d *changes) {
	w.partnerTables = partnerTables{
		catalogues:       newTable(d, "catalogue", func(c *catalogue) string { return c.ID }),
		bills:            newTable(d, "bill", func(b *bill) string { return b.ID }),
		billingFiles:     newTable(d, "billingFile", func(f *billingFile) string { return f.Path }),
		directoryEntries: newTable(d, "directoryEntry", func(e *directoryEntry) string { return e.ID }),
		directoryImports: newTable(d, "directoryImport", func(i *directoryImport) string { return i.CompanyID }),
		tenants:          newTable(d, "tenant", func(t *tenant) string { return t.ID }),
		apiKeys:          newTable(d, "apiKey", func(k *apiKey) string { return k.ID }),
		grants:           newTable(d, "grant", func(g *grant) string { return g.ID }),
		apiKeyOf:         map[string]string{},
	}
	w.apiKeys.changed = func(prior, next *apiKey) {
		if prior != nil {
			delete(w.apiKeyOf, prior.Hash)
		}
		if next != nil {
			w.apiKeyOf[next.Hash] = next.ID
		}
	}
}

func (w *world) partnerKinds(kinds map[string]documentKind) map[string]documentKind {
	kinds[w.catalogues.kind] = kindOf(w.catalogues)
	kinds[w.bills.kind] = kindOf(w.bills)
	kinds[w.billingFiles.kind] = kindOf(w.billingFiles)
	kinds[w.directoryEntries.kind] = kindOf(w.directoryEntries)
	kinds[w.directoryImports.kind] = kindOf(w.directoryImports)
	kinds[w.tenants.kind] = kindOf(w.tenants)
	kinds[w.apiKeys.kind] = kindOf(w.apiKeys)
	kinds[w.grants.kind] = kindOf(w.grants)
	return kinds
}

// partnerRoutes are the operations over these tables.
func partnerRoutes() []route {
	return slices.Concat(offerRoutes(), orderRoutes(), billRoutes(), invoicingRoutes(), directoryRoutes(), tenantRoutes(),
		oauthRoutes(), apiKeyRoutes())
}

// offersFor lists the offers of a company's catalogue by id.
func (w *world) offersFor(c *company) []*offer {
	list := w.catalogues.get(c.CatalogueID)
	if list == nil {
		return nil
	}
	return slices.DeleteFunc(w.offers.all(), func(o *offer) bool { return !slices.Contains(list.OfferIDs, o.ID) })
}

// customersOf lists the companies linked to a BP company.
func (w *world) customersOf(bpID string) []*company {
	return slices.DeleteFunc(w.companies.all(), func(c *company) bool { return c.BpID != bpID })
}

// The types of BP companies.
const (
	bpVAD = "VAD"
	bpDR  = "DR"
	bpIR  = "IR"
)

// applicantKnown tells whether Business Store knows a BP applicant number: the
// sandbox's knows those that begin with 0001.
func applicantKnown(number string) bool {
	return len(number) == 10 && strings.HasPrefix(number, "0001")
}
