package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// The made-up company: every user has an extension, a device, a DDI, two licences and six attributes.
const (
	companyID = "bench"
	pbxID     = "PBX0000-0000-0000-0000-000000000000"
	voice     = "Voice Enterprise"
	// maxUsers is how many extensions the numbering plan has.
	maxUsers = 1_000_000
)

func login(i int) bulksync.Login   { return bulksync.Login(fmt.Sprintf("user%07d@demo.example", i)) }
func number(i int) bulksync.Number { return bulksync.Number(fmt.Sprint(2_000_000 + i)) }
func ddi(i int) bulksync.E164      { return bulksync.E164(fmt.Sprintf("+33199%07d", i)) }
func userID(i int) string          { return fmt.Sprintf("5f00000000000000%08x", i) }
func device(i int) bulksync.DeviceKey {
	return bulksync.DeviceKey(fmt.Sprintf("020000%06x", i))
}

func attributes(i int) []bulksync.Attribute {
	return []bulksync.Attribute{
		{Name: "country", Value: "FRA"}, {Name: "department", Value: fmt.Sprintf("Ward %d", i%40)}, {Name: "firstName", Value: fmt.Sprintf("First%d", i)},
		{Name: "jobTitle", Value: "Nurse"}, {Name: "lastName", Value: fmt.Sprintf("Last%d", i)}, {Name: "mobilePhone0", Value: fmt.Sprintf("+33639%06d", i)},
	}
}

// madeUp is an upstream that makes its company up: it costs next to nothing.
type madeUp struct {
	bulksync.Target // for what nobody calls here
	users           int
	// whole tells whether the users hold anything.
	whole bool
}

// Observe makes up the company.
func (m madeUp) Observe(ctx context.Context, _ string, put func(bulksync.Record) error) (bulksync.Company, error) {
	company := bulksync.Company{ID: companyID, CloudPbx: &bulksync.CloudPbx{ID: "s1", PbxID: pbxID, Ranges: []bulksync.Range{{First: "2000000", Last: "2999999"}}}, Account: "root@demo.example"}
	err := errors.Join(
		put(&bulksync.Licence{ID: "l0", OfferID: "o0", Offer: "Essential", Max: -1, Assigned: m.users, Status: "active", Default: true}),
		put(&bulksync.Licence{ID: "l1", OfferID: "o1", Offer: voice, Max: m.users + 10, Assigned: m.users, Status: "active"}))
	for i := 0; i < m.users && err == nil; i++ {
		l, id := login(i), userID(i)
		err = errors.Join(ctx.Err(), put(&bulksync.User{ID: id, Login: l, Licences: []string{"l0", "l1"}, Attributes: attributes(i)}))
		if !m.whole || err != nil {
			continue
		}
		subscriber := fmt.Sprintf("e%d", i)
		err = errors.Join(
			put(&bulksync.Extension{ID: subscriber, SystemID: "s1", PbxID: pbxID, Number: number(i), Role: bulksync.RoleSubscriber, Holder: l, HolderID: id}),
			put(&bulksync.Device{ID: fmt.Sprintf("d%d", i), Address: device(i), Holder: l, HolderID: id, SubscriberID: subscriber}),
			put(&bulksync.DDI{ID: fmt.Sprintf("n%d", i), Number: ddi(i), Holder: l, HolderID: id}))
	}
	return company, err
}

// Names of the files in the folder.
const (
	changedCSV = "changed.csv"
	sameCSV    = "same.csv"
	stateFile  = "state.db"

	applyFile    = "apply.db"
	requestsFile = "requests.json"
)

// writeManifests writes the company as it is, and as it shall be.
func writeManifests(folder string, users int) error {
	for name, changed := range map[string]bool{changedCSV: true, sameCSV: false} {
		f, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		out := bufio.NewWriter(f)
		writeManifest(out, users, changed)
		if err := errors.Join(out.Flush(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// writeManifest writes the company's rows. Of 300 users one gets another job, two swap extensions or, in turn, devices
// and DDIs: a little more operations than 1 in 100.
func writeManifest(out io.Writer, users int, changed bool) {
	fmt.Fprintln(out, "__action__;loginEmail;shortNumber;macAddress;ddiE164Number;password;title;firstName;lastName;jobTitle;department;country;mobilePhone0;service0;service1")
	for i := range users {
		job, extension, things := "Nurse", i, i
		if changed {
			job, extension, things = change(i, users)
		}
		mac := string(device(things))
		fmt.Fprintf(out, "upsert;%s;%s;%s:%s:%s:%s:%s:%s;%s;;;First%d;Last%d;%s;Ward %d;FRA;+33639%06d;%s;\n", login(i), number(extension),
			mac[0:2], mac[2:4], mac[4:6], mac[6:8], mac[8:10], mac[10:12], ddi(things)[1:], i, i, job, i%40, i, voice)
	}
}

// change gives what a user shall have.
func change(i, users int) (job string, extension, things int) {
	job, extension, things = "Nurse", i, i
	other := i ^ 1 // his neighbour
	switch n := i % 600; {
	case n == 0 || n == 100:
		job = "Doctor"
	case other >= users:
	case n == 200 || n == 201:
		extension = other
	case n == 300 || n == 301:
		things = other
	}
	return job, extension, things
}
