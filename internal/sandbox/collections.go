package sandbox

import "slices"

// collections are the kinds of documents that fault rules can name, with the
// operations that read them: lists first, then those of one document.
func collections() map[string][]string {
	return map[string][]string{
		"users":         {"ListUsers", "ExportUsers", "ListSubscriptionUsers", "GetUser"},
		"systems":       {"ListSystems", "GetSystem", "GetSystemByPbxId"},
		"cloudpbxs":     {"ListCloudPbxs", "GetCloudPbx"},
		"numbers":       {"ListSystemPhoneNumbers", "ListFreePhoneNumbers", "GetSystemPhoneNumber", "GetCloudPbxNumberingPlan"},
		"subscribers":   {"ListSystemPhoneNumbers", "GetSubscriber"},
		"devices":       {"ListSipDevices", "ListSubscriberDevices", "GetSipDevice", "GetSubscriberDevice"},
		"ddis":          {"ListDdis"},
		"keys":          {"ListProgrammableKeys"},
		"greetings":     {"ListGreetings", "ListGroupVoicemailGreetings", "GetGreeting", "GetGroupVoicemailGreeting"},
		"welcomes":      {"ListWelcomes", "ListWelcomeServices", "GetWelcome", "GetWelcomeOfficeHours"},
		"recordings":    {"ListRecordings", "ListAllRecordings", "GetRecording"},
		"trunks":        {"ListExternalTrunks", "GetExternalTrunk"},
		"licences":      {"ListUserProfiles", "ListSubscriptionUsers"},
		"subscriptions": {"ListSubscriptions", "ListPrepaidSubscriptions", "ListSubscriptionCounters", "GetSubscription", "GetDefaultSubscription"},
		"imports":       {"ListUsersImports", "GetUsersImportReport", "GetUsersSynchronizeReport", "GetUsersSynchronizeCheckReport"},
		"directory":     {"ExportDirectory", "GetDirectoryImportStatus", "GetDirectorySynchronizeReport"},
		"apikeys":       {"ListApiKeys", "GetApiKey"},
	}
}

// concerns tells whether a replica answers an operation.
func (l *Stale) concerns(o operation) bool {
	if o.method != "GET" || !o.lists() && !l.ByID {
		return false
	}
	return l.Collection == "" || slices.Contains(collections()[l.Collection], o.id)
}
