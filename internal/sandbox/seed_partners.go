package sandbox

import "fmt"

// The companies of the partner world, beside the contract company. Every
// account has AdminPassword; docs/sandbox.md lists them.
const (
	OperatorCompanyID   = "5b7d0c0ffee0000000000010" // superadmin, support, business_admin
	DistributorID       = "5b7d0c0ffee0000000000011" // BP VAD
	ResellerID          = "5b7d0c0ffee0000000000012" // BP DR, the BP of the contract company
	IndirectResellerID  = "5b7d0c0ffee0000000000013" // BP IR of the VAD
	VineyardCompanyID   = "5b7d0c0ffee0000000000014" // end customer of the VAD
	IslandCompanyID     = "5b7d0c0ffee0000000000015" // end customer of the IR
	SubsidiaryCompanyID = "5b7d0c0ffee0000000000016" // end customer of the DR, same organisation as the contract company
	SmallResellerID     = "5b7d0c0ffee0000000000017" // BP IR whose VAD does not let it buy
	UnregisteredID      = "5b7d0c0ffee0000000000018" // BP DR that Business Store does not know

	SubsidiaryPbxID = "5b7d0c0ffee0000000000110" // Cloud PBX at the subsidiary's head office
	BranchPbxID     = "5b7d0c0ffee0000000000111" // equipped PBX at its branch
	VineyardPbxID   = "5b7d0c0ffee0000000000112" // Cloud PBX
	IslandPbxID     = "5b7d0c0ffee0000000000113" // Cloud PBX
)

// idPartner is the kind of ids of the partner world and of its documents.
const idPartner = 'f'

const (
	directCatalogue  = "catalogue-direct"  // what the contract company sees
	partnerCatalogue = "catalogue-partner" // what BP companies sell
)

// seedPartners adds the partner world to a world that has the contract company.
// A world kept by an older sandbox gets it when it is read.
func (w *world) seedPartners() {
	group, channel := seedID(idPartner, 1), seedID(idPartner, 2)
	contract := *w.companies.get(CompanyID)
	contract.OrganisationID, contract.BpID, contract.CatalogueID = group, ResellerID, directCatalogue
	neighbour := *w.companies.get(NeighbourCompanyID)
	neighbour.CatalogueID = directCatalogue
	w.companies.put(&contract)
	w.companies.put(&neighbour)
	if bought := w.subscriptions.get(seedID(idSubscription, 3)); bought != nil {
		prepaid := *bought
		prepaid.AutoRenew = true // or the licences of the contract company would end on 2027-01-15
		w.subscriptions.put(&prepaid)
	}
	add := func(n int, id, name string) *company {
		c := &company{ID: id, Name: name, Country: "FRA", Status: "active", SiteID: seedID(idPartner, 10+n), CatalogueID: partnerCatalogue}
		w.subscriptions.put(&subscription{
			ID: seedID(idSubscription, 20+n), CompanyID: id, OfferID: seedID(idOffer, 1), Status: "active", CreationDate: seedTime,
		})
		return c
	}
	operator := add(0, OperatorCompanyID, "Rainbow Operations")
	vad := add(1, DistributorID, "Valor Distribution")
	vad.IsBP, vad.BpType, vad.BpApplicantNumber, vad.OrganisationID = true, bpVAD, "0001000101", channel
	dr := add(2, ResellerID, "Direct Telecom")
	dr.IsBP, dr.BpType, dr.BpApplicantNumber, dr.OrganisationID = true, bpDR, "0001000102", channel
	ir := add(3, IndirectResellerID, "Indirect Reseller")
	ir.IsBP, ir.BpType, ir.BpID, ir.UpdatesAllowed = true, bpIR, DistributorID, true
	vineyard := add(4, VineyardCompanyID, "Vineyard Estate")
	vineyard.BpID, vineyard.IncreaseOnly = DistributorID, true
	island := add(5, IslandCompanyID, "Island Hotel")
	island.BpID = IndirectResellerID
	subsidiary := add(6, SubsidiaryCompanyID, "Sandbox Subsidiary")
	subsidiary.BpID, subsidiary.OrganisationID, subsidiary.UpdatesForbidden = ResellerID, group, true
	small := add(7, SmallResellerID, "Small Reseller")
	small.SiteID, small.IsBP, small.BpType, small.BpID = seedID(idPartner, 18), true, bpIR, DistributorID
	unregistered := add(8, UnregisteredID, "Unregistered Telecom")
	unregistered.SiteID, unregistered.IsBP, unregistered.BpType, unregistered.BpApplicantNumber = seedID(idPartner, 19), true, bpDR, "0009000103"
	w.companies.load([]*company{operator, vad, dr, ir, vineyard, island, subsidiary, small, unregistered})
	w.seedPartnerOffers()
	w.seedPartnerUsers()
	w.seedPartnerSystems()
	w.seedBills()
	w.seedTenants()
	w.counters.put(&counter{ID: string(rune(idPartner)), Last: 1000})
	w.counters.put(&counter{ID: string(rune(idSubscription)), Last: 1000})
}

// seedPartnerOffers adds what BP companies sell beside the five offers of the
// contract company, and what their customers have bought.
func (w *world) seedPartnerOffers() {
	all := []string{}
	for n := 1; n <= 5; n++ {
		all = append(all, seedID(idOffer, n))
	}
	w.catalogues.put(&catalogue{ID: directCatalogue, Name: "Direct customers", OfferIDs: all})
	add := func(n int, name, model, reference, sap string) *offer {
		o := &offer{
			ID: seedID(idOffer, n), Name: name, Description: "Rainbow " + name + " offer", ProfileID: seedID(idProfile, n), CanBeSold: true,
			BusinessModel: model, OfferReference: reference, SapReference: sap, CreationDate: seedTime, Provisioning: []any{},
		}
		all = append(all, o.ID)
		return o
	}
	conference := add(6, "Conference", "usage", "RB-Conference", "3EY95004AA")
	health := add(7, "HealthCare", "flat_fee", "RB-Healthcare", "3EY95004HB")
	voice := add(8, "Voice Enterprise", "nb_users", "RB-Voice-Enterprise", "3EY95301AA")
	business := add(9, "Business 1Year", "nb_users", "RB-Business-1Y", "3EY95101AB")
	business.IsPrepaid, business.PrepaidDuration, business.IsExclusive = true, 12, true
	dialIn := add(10, "Dial In custom", "nb_users", "RB-Dial-In", "3EY95005CA")
	storage := add(11, "Recording Storage", "nb_services", "RB-Recording-Storage", "3EY95006AA")
	beta := add(12, "Beta", "nb_users", "RB-Beta", "3EY95007AA")
	beta.CanBeSold = false
	app := add(13, appConnect, "usage", "RB-App-Connect", "3EY95008AA")
	w.offers.load([]*offer{conference, health, voice, business, dialIn, storage, beta, app})
	w.catalogues.put(&catalogue{ID: partnerCatalogue, Name: "Partners", OfferIDs: all})

	buy := func(n int, companyID string, o *offer, licences int) *subscription {
		return &subscription{
			ID: seedID(idSubscription, n), CompanyID: companyID, OfferID: o.ID, MaxNumberUsers: licences, Status: "active", CreationDate: seedTime,
		}
	}
	own := buy(31, DistributorID, voice, 5)
	vineyard := buy(32, VineyardCompanyID, voice, 20)
	reseller := buy(33, IndirectResellerID, business, 50)
	island := buy(34, IslandCompanyID, business, 10)
	for _, p := range []*subscription{reseller, island} {
		p.AutoRenew, p.ExpirationDate = true, "2025-01-15T08:00:00.000Z"
	}
	w.subscriptions.load([]*subscription{own, vineyard, reseller, island, buy(35, VineyardCompanyID, conference, 0)})
}

// seedPartnerUsers makes one account for each role.
func (w *world) seedPartnerUsers() {
	site, branch := seedID(idPartner, 16), seedID(idPartner, 17)
	accounts := []struct {
		login, first, companyID string
		roles                   []string
		adminType, site         string
		subscription            int // 0: only the default one
	}{
		{"superadmin@rainbow.example", "Super", OperatorCompanyID, []string{"user", "superadmin"}, "", "", 0},
		{"support@rainbow.example", "Support", OperatorCompanyID, []string{"user", "support"}, "", "", 0},
		{"business@rainbow.example", "Business", OperatorCompanyID, []string{"user", "business_admin"}, "", "", 0},
		{"bpadmin@vad.example", "Partner", DistributorID, []string{"user", "admin", "bp_admin"}, "company_admin", "", 31},
		{"bpfinance@vad.example", "Finance", DistributorID, []string{"user", "bp_finance"}, "", "", 0},
		{"channel@vad.example", "Channel", DistributorID, []string{"user", "admin", "bp_finance"}, "organization_admin", "", 0},
		{"bpadmin@dr.example", "Partner", ResellerID, []string{"user", "admin", "bp_admin"}, "company_admin", "", 0},
		{"bpfinance@dr.example", "Finance", ResellerID, []string{"user", "bp_finance"}, "", "", 0},
		{"bpadmin@ir.example", "Partner", IndirectResellerID, []string{"user", "admin", "bp_admin"}, "company_admin", "", 33},
		{"bpfinance@ir.example", "Finance", IndirectResellerID, []string{"user", "bp_finance"}, "", "", 0},
		{"bpfinance@small.example", "Finance", SmallResellerID, []string{"user", "bp_finance"}, "", "", 0},
		{"bpfinance@unregistered.example", "Finance", UnregisteredID, []string{"user", "bp_finance"}, "", "", 0},
		{"admin@vineyard.example", "Vineyard", VineyardCompanyID, []string{"user", "admin"}, "company_admin", "", 32},
		{"user@vineyard.example", "Vine", VineyardCompanyID, []string{"user"}, "", "", 32},
		{"admin@island.example", "Island", IslandCompanyID, []string{"user", "admin"}, "company_admin", "", 34},
		{"orgadmin@subsidiary.example", "Group", SubsidiaryCompanyID, []string{"user", "admin"}, "organization_admin", site, 0},
		{"admin@subsidiary.example", "Subsidiary", SubsidiaryCompanyID, []string{"user", "admin"}, "company_admin", site, 0},
		{"siteadmin@subsidiary.example", "Head office", SubsidiaryCompanyID, []string{"user", "admin"}, "site_admin", site, 0},
		{"branchadmin@subsidiary.example", "Branch", SubsidiaryCompanyID, []string{"user", "admin"}, "site_admin", branch, 0},
		{"user@subsidiary.example", "Plain", SubsidiaryCompanyID, []string{"user"}, "", branch, 0},
	}
	var users []*user
	for i, a := range accounts {
		u := &user{userDocument: userDocument{
			ID: seedID(idPartner, 100+i), LoginEmail: a.login, FirstName: a.first, LastName: "Account", Emails: []email{{a.login, "work"}},
			Numbers: []personalNumber{}, Country: "FRA", Language: "en", Timezone: "Europe/Paris", Roles: a.roles, AdminType: "undefined",
			CompanyID: a.companyID, IsActive: true, IsInitialized: true, Visibility: "same_than_company", TimeToLive: -1,
			AccountType: "free", CreationDate: seedTime, ActivationDate: seedTime, InitializationDate: seedTime, LastUpdateDate: seedTime,
		}, SiteID: a.site}
		if a.adminType != "" {
			u.AdminType = a.adminType
		}
		if a.subscription != 0 {
			u.Licences = []licence{{SubscriptionID: seedID(idSubscription, a.subscription), AssignationDate: seedTime}}
		}
		u.DisplayName = displayName(u)
		u.PasswordHash = hashPassword(u.ID, AdminPassword)
		users = append(users, u)
	}
	w.users.load(users)
}

func (w *world) seedPartnerSystems() {
	pbx := func(id, companyID string, n int) *system {
		c := w.companies.get(companyID)
		settings := defaultCloud(fmt.Sprint(n), seedID(idOther, 50+n))
		settings["numberingDigits"] = 4
		settings["numberingPlan"] = []any{map[string]any{"prefix": "6", "description": "Everybody"}}
		return &system{
			ID: id, Type: typeCloudPBX, Name: "cloud_pbx_" + c.Name, CompanyID: companyID, SiteID: []string{c.SiteID}, Status: "activated",
			Country: "FRA", PbxID: pbxIDOf(id), Cloud: settings, CreationDate: seedTime, StatusUpdatedDate: seedTime, BpID: orNull(c.BpID),
		}
	}
	w.systems.load([]*system{
		pbx(SubsidiaryPbxID, SubsidiaryCompanyID, 10), pbx(VineyardPbxID, VineyardCompanyID, 12), pbx(IslandPbxID, IslandCompanyID, 13),
		{
			ID: BranchPbxID, Type: typeEquippedPBX, Name: "Branch OXO", CompanyID: SubsidiaryCompanyID, SiteID: []string{seedID(idPartner, 17)},
			Status: "activated", Country: "FRA", PbxID: pbxIDOf(BranchPbxID), Version: "6.0", SerialNumber: "SANDBOX-0002",
			CreationDate: seedTime, StatusUpdatedDate: seedTime,
		},
	})
}
