package sandbox

import "strings"

const (
	rowSucceeded = "succeeded"
	rowFailed    = "failed"
)

// rowMessages are the documented codes of failed rows: 1001 to 1012 in the
// mass provisioning guide, 2001 to 2022 in the Rainbow Node SDK.
func rowMessages() map[int]string {
	return map[int]string{
		1001: "phoneNumber {pbxId}/{shortNumber} has no system id",
		1002: "phoneNumber {pbxId}/{shortNumber} has no id",
		1003: "phoneNumber {pbxId}/{shortNumber} does not exist",
		1004: "cannot lookup phoneNumber {pbxId}/{shortNumber}",
		1005: "found {count} phoneNumber(s) for {companyId}/{shortNumber}",
		1006: "failed to find one single PBX for {companyId}/{shortNumber}",
		1007: "user has already a phoneNumber {pbxId}/{shortNumber}",
		1008: "phoneNumber {pbxId}/{shortNumber} already associated to user {userId}",
		1009: "failed to attach phoneNumber {pbxId}/{shortNumber}",
		1010: "user {userId} has no phoneNumber",
		1011: "user {userId} has too many phoneNumbers",
		1012: "failed to detach phoneNumber {pbxId}/{shortNumber}",
		2001: "company {companyId} has no Cloud Pbx",
		2002: "ShortNumber {shortNumber} not in line with Cloud PBX Numbering Plan for company {companyId}",
		2003: "ShortNumber {shortNumber} is already assigned to someone else inside this company {companyId}",
		2004: "user {userId} is already assigned into another PBX of the company {companyId}",
		2005: "failed to create subscriber for user {userId} with shortNumber {shortNumber} into system {systemId}",
		2006: "failed to update subscriber number for user {userId} with this new shortNumber {shortNumber} into system {systemId}",
		2007: "there is no existing Sip Device with this macAddress {macAddress}",
		2008: "the existing Sip Device with this macAddress {macAddress} is not belonging to the requested company {companyId}",
		2009: "the existing Sip Device with this macAddress {macAddress} is attached to someone else: userId={userId}",
		2010: "another Sip Device with macAddress {macAddress} is attached to user={userId}",
		2011: "cannot assign/unassign a Sip device to this user {userId} ; he is not yet a subscriber",
		2012: "failed to attach this Sip Device {macAddress} with this user {userId}",
		2013: "cannot assign a DDI to this user {userId} ; he is not yet a subscriber",
		2014: "there is no existing DDI with this number {ddiE164Number}",
		2015: "the existing DDI with this number {ddiE164Number} is attached to someone else: userId={userId}",
		2016: "another DDI with number {ddiE164Number} is attached to user={userId}",
		2017: "failed to attach this DDI {ddiE164Number} with this user {userId}",
		2018: "failed to detach subscriber for user {userId}, no shortNumber is provided",
		2019: "failed to detach this subscriber {requestedShortNumber} from this user {userId}, user is attached to another subscriber {realShortNumber}",
		2020: "cannot detach a DDI to this user {userId} ; he is no more a subscriber",
		2021: "failed to detach this DDI {ddiE164Number} with this user {userId}",
		2022: "failed to detach this Sip Device {macAddress} with this user {userId}",
	}
}

// rowMessage fills the message of a code; pairs are placeholder and value.
func rowMessage(code int, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(rowMessages()[code])
}
