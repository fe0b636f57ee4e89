package sandbox

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// store owns the world and the one lock over it. Readers share the lock,
// writers exclude everybody; an answer is encoded while the lock is held, so
// that it is one consistent picture. What a writer changed goes to the data
// file, as one line, before the lock is given back: an answered change is on
// file.
type store struct {
	mu    sync.RWMutex
	world *world
	file  *dataFile // nil: nothing is kept

	replicas []*replica // of fault rules
}

// read runs fn over the world beside other readers.
func (st *store) read(fn func(w *world) ([]byte, error)) ([]byte, error) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return fn(st.world)
}

// write runs fn alone. What fn changed is kept even if it ends in an error:
// memory and file must not part.
func (st *store) write(fn func(w *world) ([]byte, error)) ([]byte, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	answer, err := fn(st.world)
	if saveErr := st.flush(); saveErr != nil {
		return nil, saveErr
	}
	return answer, err
}

func (st *store) flush() error {
	st.publish()
	if st.file == nil {
		st.world.dirty.clear()
		return nil
	}
	return st.file.save(st.world)
}

// changes collects the documents that one write touched.
type changes struct {
	tracking bool
	count    int // of all changes ever
	list     []change
	at       map[string]int

	following bool     // replicas want the log
	log       []change // of the present write, in its order
}

type change struct {
	kind     string
	id       string
	document any // nil: deleted
}

func (c *changes) note(kind, id string, document any) {
	if c.following {
		c.log = append(c.log, change{kind, id, document})
	}
	c.count++
	if !c.tracking {
		return
	}
	key := kind + "/" + id
	if i, seen := c.at[key]; seen {
		c.list[i].document = document
		return
	}
	if c.at == nil {
		c.at = map[string]int{}
	}
	c.at[key] = len(c.list)
	c.list = append(c.list, change{kind, id, document})
}

func (c *changes) clear() {
	c.list, c.at = c.list[:0], nil
}

// world is the whole state of the sandbox: one table per kind of document and
// the lookups the rules need. It has no lock of its own; see store.
type world struct {
	meta        *table[meta]
	counters    *table[counter]
	companies   *table[company]
	users       *table[user]
	systems     *table[system]
	subscribers *table[subscriber]
	devices     *table[device]
	ddis        *table[ddi]
	pbxNumbers  *table[pbxNumber]
	holders     *table[numberHolder]
	voiceTables
	offers        *table[offer]
	subscriptions *table[subscription]
	imports       *table[importJob]
	importRows    *table[importRow]
	commands      *table[command]
	partnerTables

	models []deviceModel // never changed

	usersByName  *order[user]
	usersByLogin *order[user]
	devicesByMAC *order[device]
	ddisByNumber *order[ddi]
	numbersByExt *order[pbxNumber]
	extensions   *order[subscriber]

	userOfLogin         map[string]string // lower-case login -> user id
	subscriberOfUser    map[string]string
	extensionHolder     map[string]string // systemID/short number -> id of what holds it
	devicesOfSubscriber map[string][]string
	deviceOfMAC         map[string]string
	deviceOfIPEI        map[string]string
	ddiOfNumber         map[string]string
	ddisOfUser          map[string][]string
	numbersOfUser       map[string][]string
	numberOfExtension   map[string]string // systemID/short number -> number of an equipped PBX
	licenceCount        map[string]int    // subscription id -> users who hold it
	userCount           map[string]int    // company id -> its users
	rowsOfImport        map[string][]*importRow
	greetingsOfOwner    map[string][]string // user, group, IVR, menu or system id -> greeting files

	keptLists keptLists

	dirty *changes
}

// meta is what a world carries beside its documents.
type meta struct {
	ID         string `json:"id"`
	SigningKey []byte `json:"signingKey"` // of the JSON web tokens
	SeedUsers  int    `json:"seedUsers"`
}

// counter holds the number of the last id made of a kind; ids are never used
// twice, also not after a restart.
type counter struct {
	ID   string `json:"id"`
	Last int    `json:"last"`
}

// The kinds of ids: the digit after the common prefix.
const (
	idPrefix       = "5b7d0c0ffee"
	idUser         = '1'
	idSubscriber   = '2'
	idDevice       = '3'
	idDDI          = '4'
	idPBXNumber    = '5'
	idPersonal     = '6'
	idSystem       = '7'
	idOffer        = '8'
	idProfile      = '9'
	idSubscription = 'a'
	idOther        = 'b'
	idTransaction  = 'c'
	idGreeting     = 'd' // uploaded files
	idPrompt       = 'e' // default files of greetings, see promptID
)

// seedID is the id of the n-th seeded document of a kind: 24 lower-case
// hexadecimal digits, as upstream's.
func seedID(kind byte, n int) string {
	return fmt.Sprintf("%s%c%012x", idPrefix, kind, n)
}

// newID makes an id that was never given before.
func (w *world) newID(kind byte) string {
	return seedID(kind, w.nextOf(string(kind)))
}

// nextOf counts one further.
func (w *world) nextOf(name string) int {
	next := 1
	if c := w.counters.get(name); c != nil {
		next = c.Last + 1
	}
	w.counters.put(&counter{ID: name, Last: next})
	return next
}

func newTable[T any](dirty *changes, kind string, id func(*T) string) *table[T] {
	return &table[T]{kind: kind, id: id, rows: map[string]*T{}, dirty: dirty}
}

// newWorld makes an empty world with its tables, orders and lookups wired.
func newWorld() *world {
	d := &changes{}
	w := &world{
		dirty:         d,
		models:        deviceModels(),
		meta:          newTable(d, "meta", func(m *meta) string { return m.ID }),
		counters:      newTable(d, "counter", func(c *counter) string { return c.ID }),
		companies:     newTable(d, "company", func(c *company) string { return c.ID }),
		users:         newTable(d, "user", func(u *user) string { return u.ID }),
		systems:       newTable(d, "system", func(y *system) string { return y.ID }),
		subscribers:   newTable(d, "subscriber", func(b *subscriber) string { return b.ID }),
		devices:       newTable(d, "device", func(v *device) string { return v.ID }),
		ddis:          newTable(d, "ddi", func(n *ddi) string { return n.ID }),
		pbxNumbers:    newTable(d, "pbxNumber", func(n *pbxNumber) string { return n.ID }),
		holders:       newTable(d, "holder", func(h *numberHolder) string { return h.ID }),
		offers:        newTable(d, "offer", func(o *offer) string { return o.ID }),
		subscriptions: newTable(d, "subscription", func(p *subscription) string { return p.ID }),
		imports:       newTable(d, "import", func(i *importJob) string { return i.ReqID }),
		importRows:    newTable(d, "importRow", func(r *importRow) string { return r.id() }),
		commands:      newTable(d, "command", func(c *command) string { return c.ID }),
	}
	w.wireUsers()
	w.wireSubscribers()
	w.wireDevices()
	w.wireDDIs()
	w.wireVoice(d)
	w.wirePBXNumbers()
	w.wireImports()
	w.wirePartners(d)
	return w
}

// kinds maps the name of each kind to what decodes and puts a document of it,
// or deletes one; the data file is read through it.
func (w *world) kinds() map[string]documentKind {
	return w.partnerKinds(map[string]documentKind{
		w.meta.kind:          kindOf(w.meta),
		w.counters.kind:      kindOf(w.counters),
		w.companies.kind:     kindOf(w.companies),
		w.users.kind:         kindOf(w.users),
		w.systems.kind:       kindOf(w.systems),
		w.subscribers.kind:   kindOf(w.subscribers),
		w.devices.kind:       kindOf(w.devices),
		w.ddis.kind:          kindOf(w.ddis),
		w.pbxNumbers.kind:    kindOf(w.pbxNumbers),
		w.holders.kind:       kindOf(w.holders),
		w.greetings.kind:     kindOf(w.greetings),
		w.audio.kind:         kindOf(w.audio),
		w.ivrs.kind:          kindOf(w.ivrs),
		w.attendants.kind:    kindOf(w.attendants),
		w.recordings.kind:    kindOf(w.recordings),
		w.trunks.kind:        kindOf(w.trunks),
		w.offers.kind:        kindOf(w.offers),
		w.subscriptions.kind: kindOf(w.subscriptions),
		w.imports.kind:       kindOf(w.imports),
		w.importRows.kind:    kindOf(w.importRows),
		w.commands.kind:      kindOf(w.commands),
	})
}

// documentKind is a table seen without its type.
type documentKind struct {
	decode func(json.RawMessage) (any, error)
	load   func([]any)
	each   func(func(id string, document any) error) error

	documents func() []any // by id
	apply     func(id string, document any)
}

func kindOf[T any](t *table[T]) documentKind {
	return documentKind{
		decode: func(raw json.RawMessage) (any, error) {
			d := new(T)
			err := json.Unmarshal(raw, d)
			return d, err
		},
		load: func(list []any) {
			documents := make([]*T, len(list))
			for i, d := range list {
				documents[i] = d.(*T)
			}
			t.load(documents)
		},
		apply: func(id string, document any) {
			if document == nil {
				t.remove(id)
				return
			}
			t.put(document.(*T))
		},
		documents: func() []any {
			list := make([]any, 0, len(t.rows))
			for _, d := range t.all() {
				list = append(list, d)
			}
			return list
		},
		each: func(fn func(string, any) error) error {
			for _, d := range t.all() {
				if err := fn(t.id(d), d); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// timestamp renders a time as upstream does: UTC with milliseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
