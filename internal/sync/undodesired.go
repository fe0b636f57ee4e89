package sync

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
)

// From what the undoing of a run wishes for each user to a plan.

// desired gives the wishes as a manifest: users in the order in which the run came to them.
func (b *undoer) desired() *Desired {
	b.keepDefault()
	d := &Desired{Mode: ModeUndo, Users: &Entries{}, Devices: b.devices, DDIs: b.ddis, Settings: b.settings, DefaultDDI: b.defaultDDI}
	defer func() { d.Digest = undoDigest(b.Run.Name, d) }()
	users := slices.SortedFunc(maps.Values(b.users), func(x, y *undoUser) int {
		return cmp.Or(cmp.Compare(b.first[x.login], b.first[y.login]), cmp.Compare(x.login, y.login))
	})
	for i, u := range users {
		if want, ok := b.wishes(u); ok {
			if want.Position.Line == 0 { // the run's plan is gone, and entries are told apart by their positions
				want.Position.Column = i + 1
			}
			d.Users.Append(&want)
		}
	}
	return d
}

// keepDefault keeps a DDI that the run created and that became the default one, when others are to be left: upstream deletes
// the default last.
func (b *undoer) keepDefault() {
	gone := map[E164]bool{}
	others := false
	for _, n := range b.ddis {
		gone[n.Number] = n.Absent
		others = others || !n.Absent
	}
	for r := range b.obs.Records(KindDDI) {
		others = others || !gone[r.(*DDI).Number]
	}
	b.ddis = slices.DeleteFunc(b.ddis, func(n DesiredDDI) bool {
		r := find[DDI](b.obs, n.Number.Key())
		if !others || !n.Absent || r == nil || !r.Default || b.defaultDDI != nil {
			return false
		}
		b.lost("", "%s stays: the run created it, and it is the default one", thingOf(n.Number.Key()))
		return true
	})
}

// wishes gives what is wished for a user, and whether anything is.
func (b *undoer) wishes(u *undoUser) (DesiredUser, bool) {
	want := DesiredUser{Login: u.login, Action: "update", Position: b.at(u.login)}
	now := holdingOf(b.obs, u.called)
	switch {
	case u.skip:
		return want, false
	case u.deletion:
		want.Presence, want.Action = Absent, "delete"
		if kept := u.keeps(now, b.cloud()); len(kept) > 0 && !b.since(u.login, "user %s, whom the run created, got %s", u.login, strings.Join(kept, ", ")) {
			b.drop(u.login, b.remarks[max(0, len(b.remarks)-1):]...)
			return want, false
		}
		return want, true
	case u.creation != nil:
		want.Action, want.Password = "upsert", &SecretPlace{Position: b.at(u.login), Field: passwordField, Drawn: true}
	case u.now == nil:
		return want, false
	}
	want.Attributes = slices.SortedFunc(slices.Values(u.attributes), func(x, y Attribute) int { return strings.Compare(x.Name, y.Name) })
	if !b.wishHoldings(u, &want, now) {
		return want, false
	}
	want.Options = u.options
	want.Licences = b.wishLicences(u)
	if u.called != u.login {
		want.Was, want.Action = u.called, "upsert"
	}
	wished := want.Was != "" || u.creation != nil || len(want.Attributes) > 0 || len(u.loses)+len(u.gets)+len(u.internal)+len(u.publicNumbers) > 0 || want.Licences.Mood != Keep || len(want.Options) > 0
	return want, wished
}

func (b *undoer) cloud() string {
	if pbx := b.obs.Company().CloudPbx; pbx != nil {
		return pbx.PbxID
	}
	return ""
}

// keeps names what a user holds beyond what the run gave him.
func (u *undoUser) keeps(now holding, cloud string) []string {
	var kept []string
	add := func(k Key) {
		if !u.loses[k] {
			kept = append(kept, thingOf(k))
		}
	}
	if now.subscriber != "" {
		add(ExtensionKey(cloud, now.subscriber))
	}
	for _, k := range now.devices {
		add(k.Key())
	}
	for _, n := range now.ddis {
		add(n.Key())
	}
	for _, k := range now.pairings {
		add(k)
	}
	return kept
}

// wishHoldings wishes for what the user holds now, less what the run gave him, and with what it took. False when that must
// be left alone.
func (b *undoer) wishHoldings(u *undoUser, want *DesiredUser, now holding) bool {
	subscriber := now.subscriber
	devices, ddis, pairings := now.devices, now.ddis, now.pairings
	for k := range u.loses {
		switch {
		case k.Kind == KindDevice:
			devices = without(devices, DeviceKey(k.ID))
		case k.Kind == KindDDI:
			ddis = without(ddis, E164(k.ID))
		case b.isPairing(k):
			pairings = without(pairings, k)
		default:
			subscriber = ""
		}
	}
	for k := range u.gets {
		switch {
		case k.Kind == KindDevice:
			devices = append(slices.Clone(devices), DeviceKey(k.ID))
		case k.Kind == KindDDI:
			ddis = append(slices.Clone(ddis), E164(k.ID))
		case b.isPairing(k):
			pairings = append(slices.Clone(pairings), k)
		default:
			_, number, _ := strings.Cut(k.ID, "/")
			subscriber = Number(number)
		}
	}
	if subscriber == "" && now.subscriber != "" && len(devices) > 0 {
		things := make([]string, 0, len(devices))
		for _, k := range devices {
			things = append(things, thingOf(k.Key()))
		}
		if !b.since(u.login, "extension %s of user %s, which the run gave him, got %s", now.subscriber, u.login, strings.Join(things, ", ")) {
			b.drop(u.login, b.remarks[max(0, len(b.remarks)-1):]...)
			return false
		}
		devices = nil
	}
	if subscriber == "" {
		ddis = b.withoutExtension(u, now, ddis)
	}
	if subscriber != now.subscriber {
		want.Subscriber = Wish[Number]{Mood: Exactly}
		if subscriber != "" {
			want.Subscriber.Keys = []Number{subscriber}
		}
	}
	want.Devices = wishFor(now.devices, devices)
	want.DDIs = wishFor(now.ddis, ddis)
	b.wishPairings(u, want, now.pairings, b.pairable(u, now.pairings, pairings, subscriber))
	return true
}

// pairable gives the numbers of equipped PBXs that a user can hold: those that he holds now, or one, if he has no extension
// of the Cloud PBX (checkPairable).
func (b *undoer) pairable(u *undoUser, now, then []Key, subscriber Number) []Key {
	var held []Key
	then = slices.Compact(slices.SortedFunc(slices.Values(then), Key.Compare))
	for _, k := range then {
		if slices.Contains(now, k) {
			held = append(held, k)
		}
	}
	for _, k := range then {
		switch {
		case slices.Contains(now, k):
		case subscriber != "":
			b.lost(u.login, "%s of user %s can't be his again beside extension %s of the Cloud PBX, and becomes free", thingOf(k), u.login, subscriber)
		case len(held) > 0:
			b.lost(u.login, "%s of user %s can't be his again beside %s, and becomes free", thingOf(k), u.login, keyWords(held))
		default:
			held = append(held, k)
		}
	}
	return held
}

// withoutExtension gives the DDIs that a user can hold who is to have no extension: those that he holds now, unless he
// loses an extension; upstream gives none to a user without.
func (b *undoer) withoutExtension(u *undoUser, now holding, ddis []E164) []E164 {
	return slices.DeleteFunc(slices.Clone(ddis), func(n E164) bool {
		if now.subscriber == "" && slices.Contains(now.ddis, n) {
			return false
		}
		b.lost(u.login, "DDI %s of user %s, which he had without an extension, can't be his again without one, and becomes free", n, u.login)
		return true
	})
}

// wishFor is the wish to hold just some things; none when they are held already.
func wishFor[K cmp.Ordered](now, then []K) Wish[K] {
	then = slices.Compact(slices.Sorted(slices.Values(then)))
	if slices.Equal(slices.Sorted(slices.Values(now)), then) {
		return Wish[K]{}
	}
	return Wish[K]{Mood: Exactly, Keys: then}
}

func (b *undoer) wishPairings(u *undoUser, want *DesiredUser, now, then []Key) {
	then = slices.Compact(slices.SortedFunc(slices.Values(then), Key.Compare))
	if slices.Equal(now, then) && len(u.internal)+len(u.publicNumbers) == 0 {
		return
	}
	want.Pairings.Mood = Exactly
	for _, k := range then {
		pbx, number, _ := strings.Cut(k.ID, "/")
		want.Pairings.Keys = append(want.Pairings.Keys, Pairing{PbxID: pbx, Number: Number(number), InternalNumber: u.internal[k], PublicNumber: u.publicNumbers[k]})
	}
}

// isPairing tells a number of an equipped PBX from a Cloud PBX extension.
func (b *undoer) isPairing(k Key) bool {
	pbx, _, _ := strings.Cut(k.ID, "/")
	return k.Kind == KindExtension && pbx != b.cloud()
}

// wishLicences wishes for the licences that the user has now, less those that the run gave him, and with those it took.
func (b *undoer) wishLicences(u *undoUser) Wish[Offer] {
	if len(u.losesSeats)+len(u.getsSeats) == 0 {
		return Wish[Offer]{}
	}
	var now []string
	if u.now != nil {
		now = u.now.Licences
	}
	then := slices.DeleteFunc(slices.Clone(now), func(id string) bool { return slices.Contains(u.losesSeats, id) })
	for _, id := range u.getsSeats {
		switch l := find[Licence](b.obs, Key{KindLicence, id}); {
		case l == nil:
			b.lost(u.login, "the subscription %s, of which user %s had a licence, is gone", id, u.login)
		case !l.Assignable():
			b.lost(u.login, "user %s had a licence of %q, which can't be assigned any more: its status is %s", u.login, l.Offer, l.Status)
		default:
			then = append(then, id)
		}
	}
	w := Wish[Offer]{Mood: Exactly}
	for _, id := range then {
		if l := find[Licence](b.obs, Key{KindLicence, id}); l != nil && !l.Default {
			w.Keys = append(w.Keys, Offer(l.ID))
		}
	}
	slices.Sort(w.Keys)
	w.Keys = slices.Compact(w.Keys)
	return w
}

// dropFaulty leaves users alone whose wishes can't be planned, if that is what is asked for; it tells whether it did.
func (b *undoer) dropFaulty(d *Desired, err error) bool {
	var faults Faults
	if b.Stale != StaleDrop || !errors.As(err, &faults) {
		return false
	}
	for _, f := range faults {
		for i := range d.Users.Len() {
			if f.Position.Compare(d.Users.Position(i)) == 0 {
				b.drop(d.Users.Login(i), Fault{Position: f.Position, Code: "not-undoable", Message: "left alone: " + f.Message})
			}
		}
	}
	return len(b.dropped) > 0
}

// reword makes a plan that of an undoing.
func (b *undoer) reword(p *Plan) {
	p.Undoes = b.Run.Name
	for i := range p.Operations {
		op := &p.Operations[i]
		op.Reason = strings.ReplaceAll(op.Reason, "the manifest", "the undoing")
	}
	unchanged := slices.Collect(p.Unchanged.All())
	for i := range unchanged {
		unchanged[i].Note = "is as it was before the run"
	}
	p.Unchanged = UnchangedOf(unchanged...)
	p.Remarks = append(Faults(p.Remarks), b.remarks...).Sort()
}

// undoDigest stands for the digest of a manifest.
func undoDigest(run string, d *Desired) string {
	blank := *d
	blank.Digest = ""
	h := sha256.New()
	h.Write([]byte("undo " + run + "\n"))
	if err := blank.writeDocument(h); err != nil {
		panic("desired state does not encode: " + err.Error()) // it is plain data
	}
	return hex.EncodeToString(h.Sum(nil))
}

// NewPasswords gives passwords for the users whom an undoing creates again: each is drawn anew, and nobody learns it.
func NewPasswords() Secrets {
	key := make([]byte, 32)
	rand.Read(key)
	return newPasswords(key)
}

type newPasswords []byte

// Secret gives the user's new password, the same one as long as the secrets live. It has a capital, a small letter, a digit
// and a special character (admin guide, CreateUser: 8 to 64 characters).
func (p newPasswords) Secret(login Login, _ string) (string, bool) {
	h := hmac.New(sha256.New, p)
	h.Write([]byte(login))
	return "Aa1-" + base64.RawURLEncoding.EncodeToString(h.Sum(nil)), true
}
