package contract_test

const (
	admin   = "/admin/v1.0"
	voice   = "/rvcpprovisioning/v1.0"
	mass    = "/massprovisioning/v1.0"
	licence = "/subscription/v1.0"
	billing = "/invoicing/v1.0"
	authent = "/authentication/v1.0"
)

// The paths that most steps stand under.

func (s *session) cloud() string {
	return voice + "/cloudpbxs/" + s.find("a Cloud PBX of the company", voice+"/cloudpbxs?companyId="+s.fact("company")+"&limit=1", "data.0.id")
}

func (s *session) system() string {
	return admin + "/systems/" + s.find("a PBX of the company", admin+"/systems?companyId="+s.fact("company")+"&limit=1&type=oxe", "data.0.id")
}

func (s *session) subscriptions() string {
	return licence + "/companies/" + s.fact("company") + "/subscriptions"
}

// accountSteps read what an administrator's account and its PBXs show.
func accountSteps() []step {
	numbers := func(s *session) string { return s.system() + "/phone-numbers" }
	return []step{
		{"authentication/Login", reads, func(s *session) reply {
			r := s.signIn(s.account.login, s.account.password)
			s.token = r.text("token")
			s.keep("company", r, "loggedInUser.companyId")
			return s.keep("the account's user", r, "loggedInUser.id")
		}},
		{"authentication/Renew", reads, func(s *session) reply {
			r := s.get(authent + "/renew")
			s.token = r.text("token")
			return r
		}},
		{"authentication/Validate", reads, func(s *session) reply { return s.get(authent + "/validator") }},
		{"authentication/GetAbout", reads, func(s *session) reply { return s.get(authent + "/about") }},
		{"admin/ListUsers", reads, func(s *session) reply { return s.get(admin + "/users?companyId=" + s.fact("company")) }},
		{"admin/GetUser", reads, func(s *session) reply { return s.get(admin + "/users/" + s.fact("the account's user")) }},
		{"admin/ListUserProfiles", reads, func(s *session) reply {
			return s.get(admin + "/users/" + s.fact("the account's user") + "/profiles")
		}},
		{"admin/ListSystems", reads, func(s *session) reply { return s.get(admin + "/systems?companyId=" + s.fact("company")) }},
		{"admin/GetSystem", reads, func(s *session) reply { return s.get(s.system()) }},
		{"admin/UpdateSystemPhoneNumber", company, func(s *session) reply {
			number := s.find("a number of a PBX", numbers(s)+"?limit=1", "data.0.id")
			return s.put(numbers(s)+"/"+number, map[string]any{"userId": s.fact("the account's user"), "number": "0199000977"})
		}},
		{"admin/ListSystemPhoneNumbers", reads, func(s *session) reply { return s.get(numbers(s) + "?format=full") }},
		{"admin/GetSystemPhoneNumber", reads, func(s *session) reply {
			return s.get(numbers(s) + "/" + s.find("a number of a PBX", numbers(s)+"?limit=1", "data.0.id"))
		}},
	}
}

// userSteps make the users whom the later steps give extensions, phones and
// licences.
func userSteps() []step {
	user := func(s *session) string { return admin + "/users/" + s.fact("the suite's user") }
	return []step{
		{"admin/CreateUser", owns, func(s *session) reply {
			s.keep("the suite's second user", s.post(admin+"/users", s.newUser("second")), "data.id")
			return s.keep("the suite's user", s.post(admin+"/users", s.newUser("first")), "data.id")
		}},
		{"admin/UpdateUser", owns, func(s *session) reply { return s.put(user(s), map[string]any{"title": "Mrs"}) }},
		{"admin/AssignUserSubscription", company, func(s *session) reply {
			return s.post(user(s)+"/profiles/subscriptions/"+s.fact("a subscription that is not everybody's"), map[string]any{})
		}},
		{"admin/UnassignUserSubscription", company, func(s *session) reply {
			return s.delete(user(s) + "/profiles/subscriptions/" + s.fact("a subscription that is not everybody's"))
		}},
	}
}

// newUser is the body of CreateUser, which has no documented one. The address
// ends in .invalid, so that no mail ever leaves.
func (s *session) newUser(name string) map[string]any {
	return map[string]any{
		"loginEmail": s.label + "-" + name + "@contract.invalid", "firstName": "Contract", "lastName": name, "companyId": s.fact("company"),
		"password": "Contract-Pass-1", "isInitialized": true,
	}
}

// closingSteps put back what the suite made, and end the session.
func closingSteps() []step {
	return []step{
		{"rvcpprovisioning/DeleteSubscriber", owns, func(s *session) reply {
			return s.delete(s.cloud() + "/subscribers/" + s.fact("the suite's extension"))
		}},
		{"admin/DeleteUser", owns, func(s *session) reply {
			s.delete(admin + "/users/" + s.fact("the suite's second user"))
			return s.delete(admin + "/users/" + s.fact("the suite's user"))
		}},
		{"authentication/Logout", reads, func(s *session) reply { return s.get(authent + "/logout") }},
	}
}
