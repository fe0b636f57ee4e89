package sandbox_test

import (
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// TestMainJob walks the job the sandbox exists for: log in, look around, make
// a DDI, import the sheet of the Rainbow Node SDK's documentation.
func TestMainJob(t *testing.T) {
	r := start(t, sandbox.Options{SeedUsers: 5})
	r.get(admin+"/users?companyId="+sandbox.CompanyID+"&format=full").ok().want("total", "6", "data.0.companyName", "Sandbox Company")
	r.get(voice+"/cloudpbxs").ok().want("total", "1", "data.0.id", sandbox.CloudPbxID)
	made := r.post(cloud+"/phone-numbers/ddi", map[string]string{"number": "0298300777"}).ok()
	made.want("data.numberE164", "+33298300777", "data.userId", "")
	r.get(cloud+"/phone-numbers/ddi?numberE164StartWith=%2B332983007").ok().want("total", "1", "data.0.id", made.text("data.id"))

	report := r.importSheet(mass+"/users/imports/rainbowvoice",
		"__action__;loginEmail;shortNumber;macAddress;ddiE164Number;password;title;firstName;lastName;language;service0;service1",
		`upsert;user01@company.example; 81011;aa:bb:cc:dd:ee:02;33298300513;Password_123;Mr;First01;Last;fr;"Enterprise Demo" ;"Voice Enterprise 3-Year prepaid"`,
		"delete;user000005@sandbox.example;;;;;;;;;;",
	)
	report.want("data.mode", "rainbowvoice", "data.counters.succeeded", "2", "data.counters.failed", "0",
		"data.report.0.subscriberReport.status", "succeeded", "data.report.0.sipDeviceReport.status", "succeeded",
		"data.report.0.ddiReport.status", "succeeded")
	id := r.userID("user01@company.example")
	r.get(admin+"/users/"+id).ok().want("data.displayName", "First01 Last", "data.phoneNumbers.0.shortNumber", "81011",
		"data.profiles.1.offerName", "Enterprise Demo", "data.profiles.2.offerName", "Voice Enterprise 3-Year prepaid")
	r.get(cloud+"/devices?macAddress=aabbccddee02").ok().want("total", "1", "data.0.userId", id, "data.0.shortNumber", "81011")
	r.get(cloud+"/phone-numbers/ddi?numberE164StartWith=%2B33298300513").ok().want("data.0.userId", id)
	r.get(admin+"/users?loginEmail="+seeded(5)).ok().want("total", "0")
}
