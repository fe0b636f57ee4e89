package sandbox

import (
	"fmt"
)

const (
	metaID   = "world"
	seedTime = "2024-01-15T08:00:00.000Z"
)

// seedWorld makes the world every sandbox starts with: the same for the same
// number of users, whatever the day. docs/sandbox.md describes it.
func seedWorld(users int, signingKey []byte) *world {
	w := newWorld()
	w.meta.put(&meta{ID: metaID, SigningKey: signingKey, SeedUsers: users})
	w.companies.load([]*company{
		{ID: CompanyID, Name: "Sandbox Company", Country: "FRA", Status: "active", SiteID: seedID(idOther, 1)},
		{ID: NeighbourCompanyID, Name: "Neighbour Company", Country: "FRA", Status: "active", SiteID: seedID(idOther, 2)},
		{ID: terminatedCompanyID, Name: "Terminated", Country: "FRA", Status: "active", SiteID: seedID(idOther, 3)},
	})
	w.seedSystems(users)
	w.seedLicences(users)
	w.seedUsers(users)
	w.seedDDIs(users)
	w.seedVoice(users)
	w.seedDevices(users)
	w.seedPbxNumbers()
	w.seedPartners()
	for kind, last := range map[byte]int{
		idUser: users, idSubscriber: users, idDevice: users + 100, idDDI: users + 200, idPBXNumber: 200,
		idPersonal: 0, idSystem: 0, idOther: 100,
	} {
		w.counters.put(&counter{ID: string(kind), Last: last})
	}
	return w
}

func (w *world) seedSystems(users int) {
	plan := []any{
		map[string]any{"prefix": "2", "digits": 4, "description": "Offices"},
		map[string]any{"prefix": "8", "digits": 5, "description": "Staff"},
	}
	if users > 9999 {
		plan = append(plan, map[string]any{"prefix": "9", "digits": 7, "description": "More staff"})
	}
	cloud := defaultCloud("1", seedID(idOther, 51))
	cloud["numberingDigits"] = 5
	cloud["numberingDigitsLength"] = "variable"
	cloud["numberingPlan"] = plan
	cloud["installationNumber"] = ddiE164(0)
	cloud["installationNumberId"] = seedID(idDDI, 1)
	neighbour := defaultCloud("2", seedID(idOther, 52))
	neighbour["numberingDigits"] = 4
	neighbour["numberingPlan"] = []any{map[string]any{"prefix": "5", "description": "Everybody"}}
	w.systems.load([]*system{
		{
			ID: CloudPbxID, Type: typeCloudPBX, Name: "cloud_pbx_Sandbox Company", CompanyID: CompanyID,
			SiteID: []string{seedID(idOther, 1)}, Status: "activated", Country: "FRA",
			PbxID: "PBX5b7d-c0ff-ee00-0000-0000-0000-0000-0101", Cloud: cloud, CreationDate: seedTime, StatusUpdatedDate: seedTime,
		},
		{
			ID: EquippedPbxID, Type: typeEquippedPBX, Name: "Head office OXE", CompanyID: CompanyID,
			SiteID: []string{seedID(idOther, 1)}, Status: "activated", Country: "FRA", PbxID: EquippedPbxPbxID,
			Version: "100.1", SerialNumber: "SANDBOX-0001", CreationDate: seedTime, StatusUpdatedDate: seedTime,
		},
		{
			ID: neighbourPbxID, Type: typeCloudPBX, Name: "cloud_pbx_Neighbour Company", CompanyID: NeighbourCompanyID,
			SiteID: []string{seedID(idOther, 2)}, Status: "activated", Country: "FRA",
			PbxID: "PBX5b7d-c0ff-ee00-0000-0000-0000-0000-0103", Cloud: neighbour, CreationDate: seedTime, StatusUpdatedDate: seedTime,
		},
	})
}

const neighbourPbxID = "5b7d0c0ffee0000000000103"

func (w *world) seedLicences(users int) {
	most := max(1000, 2*users)
	def := func(n int, name, description, model, reference, sap string) *offer {
		return &offer{
			ID: seedID(idOffer, n), Name: name, Description: description, ProfileID: seedID(idProfile, n), CanBeSold: true,
			BusinessModel: model, OfferReference: reference, SapReference: sap, CreationDate: seedTime, Provisioning: []any{},
		}
	}
	essential := def(1, "Essential", "Essential offer", "none", "RB-Essential", "3EY95001AA")
	essential.IsDefault, essential.CanBeSold, essential.AutoSubscribe = true, false, true
	demo := def(2, "Enterprise Demo", "Rainbow Enterprise demonstration offer", "nb_users", "RB-Enterprise-Demo", "3EY95003DD")
	demo.IsExclusive = true
	voice := def(3, "Voice Enterprise 3-Year prepaid", "Rainbow Voice Enterprise, 3 years prepaid", "nb_users", "RB-Voice-Enterprise-3Y", "3EY95301AB")
	voice.IsPrepaid, voice.PrepaidDuration = true, 36
	attendant := def(4, "Voice Attendant", "Rainbow Voice Attendant", "nb_users", "RB-Voice-Attendant", "3EY95302AA")
	enterprise := def(5, "Enterprise", "Rainbow Enterprise offer", "nb_users", "RB-Enterprise", "3EY95003AA")
	enterprise.IsExclusive = true
	w.offers.load([]*offer{essential, demo, voice, attendant, enterprise})
	bought := func(company string, n int, o *offer, licences int) *subscription {
		return &subscription{
			ID: seedID(idSubscription, n), CompanyID: company, OfferID: o.ID, MaxNumberUsers: licences, Status: "active", CreationDate: seedTime,
		}
	}
	prepaid := bought(CompanyID, 3, voice, most)
	prepaid.ExpirationDate = "2027-01-15T08:00:00.000Z"
	w.subscriptions.load([]*subscription{
		bought(CompanyID, 1, essential, 0), bought(CompanyID, 2, demo, most), prepaid, bought(CompanyID, 4, attendant, 5),
		bought(NeighbourCompanyID, 11, essential, 0),
	})
}

// seedNames gives user n a name: 40 first names by 50 family names, then a
// number.
func seedNames(n int) (first, last string) {
	firsts := [...]string{
		"Alice", "Bruno", "Chloe", "David", "Emma", "Felix", "Grace", "Hugo", "Irene", "Jonas", "Karin", "Louis", "Maya", "Nils",
		"Olga", "Pablo", "Quinn", "Rosa", "Simon", "Tessa", "Ugo", "Vera", "Wim", "Xenia", "Yann", "Zoe", "Arno", "Bella", "Carl",
		"Dina", "Eric", "Flora", "Gilles", "Helen", "Ivan", "Julia", "Kurt", "Lena", "Marc", "Nora",
	}
	lasts := [...]string{
		"Adam", "Bernard", "Colin", "Durand", "Evrard", "Fontaine", "Garnier", "Henry", "Imbert", "Jacob", "Klein", "Lambert",
		"Martin", "Noel", "Olivier", "Petit", "Quentin", "Robert", "Simon", "Thomas", "Urbain", "Vidal", "Weber", "Xavier", "Yvon",
		"Zimmer", "Arnaud", "Blanc", "Carre", "Denis", "Etienne", "Fabre", "Girard", "Hubert", "Isnard", "Joly", "Keller", "Leroy",
		"Muller", "Neveu", "Ollier", "Perrin", "Rolland", "Schmitt", "Tanguy", "Ulrich", "Valette", "Wagner", "Yonnet", "Zeller",
	}
	i := n - 1
	first, last = firsts[i%len(firsts)], lasts[(i/len(firsts)+i)%len(lasts)]
	if n > len(firsts)*len(lasts) {
		last = fmt.Sprintf("%s %d", last, i/(len(firsts)*len(lasts))+1)
	}
	return first, last
}

// SeedLogin is the login of seeded user n, counted from 1.
func SeedLogin(n int) string { return fmt.Sprintf("user%06d@sandbox.example", n) }

// seedExtension is the short number of user n.
func seedExtension(n int) string {
	if n <= 9999 {
		return fmt.Sprint(80000 + n)
	}
	return fmt.Sprint(9000000 + n)
}

func (w *world) seedUsers(count int) {
	admin := &user{userDocument: userDocument{
		ID: seedID(idUser, 0), LoginEmail: AdminLogin, FirstName: "Sandbox", LastName: "Administrator",
		Emails: []email{{AdminLogin, "work"}}, Numbers: []personalNumber{}, Country: "FRA", Language: "en", Timezone: "Europe/Paris",
		Roles: []string{"user", "admin"}, AdminType: "company_admin", CompanyID: CompanyID, IsActive: true, IsInitialized: true,
		Visibility: "same_than_company", TimeToLive: -1, AccountType: "free", CreationDate: seedTime, ActivationDate: seedTime,
		InitializationDate: seedTime, LastUpdateDate: seedTime,
	}}
	admin.DisplayName = displayName(admin)
	admin.PasswordHash = hashPassword(admin.ID, AdminPassword)
	neighbour := *admin
	neighbour.ID, neighbour.CompanyID, neighbour.LoginEmail = seedID(idOther, 50), NeighbourCompanyID, "admin@neighbour.example"
	neighbour.FirstName, neighbour.Emails = "Neighbour", []email{{"admin@neighbour.example", "work"}}
	neighbour.DisplayName = displayName(&neighbour)
	neighbour.PasswordHash = hashPassword(neighbour.ID, AdminPassword)
	users := []*user{admin, &neighbour}
	var extensions []*subscriber
	creator := &actor{UserID: admin.ID, LoginEmail: AdminLogin}
	roles, licences := []string{"user"}, []licence{{SubscriptionID: seedID(idSubscription, 3), AssignationDate: seedTime}}
	for n := 1; n <= count; n++ {
		u := &user{userDocument: userDocument{
			ID: seedID(idUser, n), LoginEmail: SeedLogin(n), Numbers: []personalNumber{},
			Country: "FRA", Language: "fr", Timezone: "Europe/Paris", Roles: roles, AdminType: "undefined", CompanyID: CompanyID,
			IsActive: true, IsInitialized: true, Visibility: "same_than_company", TimeToLive: -1, AccountType: "free",
			CreationDate: seedTime, ActivationDate: seedTime, InitializationDate: seedTime, LastUpdateDate: seedTime,
			CreatedByAdmin: creator,
		}}
		u.FirstName, u.LastName = seedNames(n)
		u.Emails = []email{{u.LoginEmail, "work"}}
		u.DisplayName = displayName(u)
		u.PasswordHash = hashPassword(u.ID, UserPassword)
		u.Licences = licences
		users = append(users, u)
		b := &subscriber{
			ID: seedID(idSubscriber, n), CompanyID: CompanyID, SystemID: CloudPbxID, UserID: u.ID, ShortNumber: seedExtension(n),
			VoiceMailNumber: "voicebox", CreationDate: seedTime,
		}
		b.Login, b.Password = b.ShortNumber, token("sip", b.ID, 8)
		extensions = append(extensions, b)
	}
	w.users.load(users)
	w.subscribers.load(extensions)
}

// ddiE164 is the i-th of the company's 100 public numbers.
func ddiE164(i int) string { return fmt.Sprintf("+33298300%03d", 500+i) }

// seedDDIs makes +33298300500 to ...599: the first is the default, 521 to 580
// are those of the first 60 users, 598 and 599 belong to the group and to an
// IVR. Every further user has one from +33199000000 on (ARCEP keeps
// 01 99 00 xx xx for fiction; the first 10,000 are of that block).
func (w *world) seedDDIs(users int) {
	var list []*ddi
	add := func(id int, e164 string) *ddi {
		n := &ddi{
			ID: seedID(idDDI, id), CompanyID: CompanyID, SystemID: CloudPbxID, NumberE164: e164,
			Number: toNational(e164, "FRA"), Country: "FRA", CreationDate: seedTime,
		}
		list = append(list, n)
		return n
	}
	for i := range 100 {
		n := add(i+1, ddiE164(i))
		switch user := i - 20; {
		case i == 0:
			n.IsDefault = true
		case user >= 1 && user <= min(users, 60):
			n.UserID = seedID(idUser, user)
		case i == 98:
			n.GroupID = seedID(idOther, 11)
		case i == 99:
			n.IVRID, n.WelcomeName = seedID(idOther, 13), "Welcome"
		}
	}
	for n := 61; n <= users; n++ {
		add(100+n, fmt.Sprintf("+33199%06d", n)).UserID = seedID(idUser, n)
	}
	w.ddis.load(list)
}

// seedDevices makes the 32 free desk phones aa:bb:cc:dd:ee:00 to 1f, a generic
// SIP device, a DECT handset, a phone of the neighbour, and the phone of each
// user.
func (w *world) seedDevices(users int) {
	var list []*device
	add := func(id int, mac, description string, model int) *device {
		v := &device{
			ID: seedID(idDevice, id), CompanyID: CompanyID, SystemID: CloudPbxID, MacAddress: mac, Description: description,
			ModelID: model, MediaTransportProtocol: "rtp_savp", TransferMode: "same_as_company",
		}
		list = append(list, v)
		return v
	}
	for i := range 32 {
		add(users+1+i, fmt.Sprintf("aabbccddee%02x", i), fmt.Sprintf("Spare desk phone %02d", i), 23)
	}
	generic := add(users+41, "", "Generic SIP intercom", genericSIP)
	generic.Password, generic.TransferMode = token("sip", generic.ID, 8), ""
	handset := add(users+42, "", "Warehouse DECT handset", 999998)
	handset.IPEI, handset.TransferMode = "03807e7898", ""
	neighbour := add(users+43, "0200ff000001", "Phone of the neighbour", 12)
	neighbour.CompanyID, neighbour.SystemID = NeighbourCompanyID, neighbourPbxID
	for n := 1; n <= users; n++ {
		first, last := seedNames(n)
		v := add(n, fmt.Sprintf("020000%06x", n), "Desk phone of "+first+" "+last, 12)
		v.SubscriberID = seedID(idSubscriber, n)
		if n == 1 && users > 1 {
			v.Keys = seedKeys()
		}
	}
	w.devices.load(list)
}

// seedPbxNumbers makes 3000 to 3099 on the equipped PBX, all free to pair.
func (w *world) seedPbxNumbers() {
	var list []*pbxNumber
	for i := range 100 {
		short := fmt.Sprint(3000 + i)
		list = append(list, &pbxNumber{
			ID: seedID(idPBXNumber, i+1), ShortNumber: short, InternalNumber: short, VoiceMailNumber: "3999",
			PbxUserID: fmt.Sprint(i + 1), Country: "FRA", Type: "work", DeviceType: "landline", IsFromSystem: true,
			PbxID: EquippedPbxPbxID, SystemID: EquippedPbxID,
		})
	}
	w.pbxNumbers.load(list)
}
