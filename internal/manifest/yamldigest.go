package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// digestOf names what a YAML manifest asks for: the SHA-256 over "rainbow-gateway manifest yaml 1", a line feed, and the desired
// state as JSON, places, remarks and passwords left out. So it depends on neither passwords and where they stand, nor
// file names, order of keys, comments, quoting, anchors, and what is a template, default or variable and what is not.
func digestOf(d *bulksync.Desired) string {
	sum := sha256.New()
	_, _ = io.WriteString(sum, "rainbow-gateway manifest yaml 1\n") // a hash takes all
	encoder := json.NewEncoder(sum)
	plain := *d
	plain.Users, plain.Remarks, plain.Digest, plain.CompanyPosition = nil, nil, "", bulksync.Position{}
	write := func(v any) {
		if err := encoder.Encode(v); err != nil {
			panic(fmt.Sprintf("manifest does not encode: %v", err)) // it is plain data
		}
	}
	plain.Pools = slices.Clone(d.Pools)
	for i := range plain.Pools {
		plain.Pools[i].Position = bulksync.Position{}
	}
	plain.Settings = withoutPlaces(d.Settings)
	plain.CompletePosition, plain.Devices, plain.DDIs, plain.Owned = bulksync.Position{}, nil, nil, nil
	if d.DefaultDDI != nil {
		plain.DefaultDDI = &bulksync.DesiredDDI{Number: d.DefaultDDI.Number}
	}
	write(plain)
	for _, device := range d.Devices {
		device.Position = bulksync.Position{}
		write(device)
	}
	for _, n := range d.DDIs {
		write(n.Number)
	}
	for _, u := range d.Users.All() {
		u.Position, u.Cells = bulksync.Position{}, nil
		u.Options = withoutPlaces(u.Options)
		if u.Password != nil {
			u.Password = &bulksync.SecretPlace{Field: u.Password.Field}
		}
		write(u)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func withoutPlaces(groups []bulksync.DesiredGroup) []bulksync.DesiredGroup {
	all := slices.Clone(groups)
	for i := range all {
		all[i].Position = bulksync.Position{}
	}
	return all
}
