package rest

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	authenticationv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/authentication/v1"
	invoicingv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/invoicing/v1"
	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	subscriptionv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/subscription/v1"
)

// RainbowServices are the services that mirror Rainbow's portals. Generated code offers no list of itself, so this is
// one; a test compares it with the descriptors.
func RainbowServices() []Service {
	return []Service{
		Generated(adminv1.UsersService_ServiceDesc.ServiceName, adminv1.NewUsersServiceClient, adminv1.RegisterUsersServiceHandlerClient),
		Generated(adminv1.UserProfilesService_ServiceDesc.ServiceName, adminv1.NewUserProfilesServiceClient, adminv1.RegisterUserProfilesServiceHandlerClient),
		Generated(adminv1.SystemsService_ServiceDesc.ServiceName, adminv1.NewSystemsServiceClient, adminv1.RegisterSystemsServiceHandlerClient),
		Generated(adminv1.SystemPhoneNumbersService_ServiceDesc.ServiceName, adminv1.NewSystemPhoneNumbersServiceClient, adminv1.RegisterSystemPhoneNumbersServiceHandlerClient),
		Generated(authenticationv1.AboutService_ServiceDesc.ServiceName, authenticationv1.NewAboutServiceClient, authenticationv1.RegisterAboutServiceHandlerClient),
		Generated(authenticationv1.ApiKeysService_ServiceDesc.ServiceName, authenticationv1.NewApiKeysServiceClient, authenticationv1.RegisterApiKeysServiceHandlerClient),
		Generated(authenticationv1.AuthenticationService_ServiceDesc.ServiceName, authenticationv1.NewAuthenticationServiceClient, authenticationv1.RegisterAuthenticationServiceHandlerClient),
		Generated(authenticationv1.OAuthService_ServiceDesc.ServiceName, authenticationv1.NewOAuthServiceClient, authenticationv1.RegisterOAuthServiceHandlerClient),
		Generated(invoicingv1.AboutService_ServiceDesc.ServiceName, invoicingv1.NewAboutServiceClient, invoicingv1.RegisterAboutServiceHandlerClient),
		Generated(invoicingv1.InvoicesService_ServiceDesc.ServiceName, invoicingv1.NewInvoicesServiceClient, invoicingv1.RegisterInvoicesServiceHandlerClient),
		Generated(massprovisioningv1.AboutService_ServiceDesc.ServiceName, massprovisioningv1.NewAboutServiceClient, massprovisioningv1.RegisterAboutServiceHandlerClient),
		Generated(massprovisioningv1.DirectoriesService_ServiceDesc.ServiceName, massprovisioningv1.NewDirectoriesServiceClient, massprovisioningv1.RegisterDirectoriesServiceHandlerClient),
		Generated(massprovisioningv1.Office365Service_ServiceDesc.ServiceName, massprovisioningv1.NewOffice365ServiceClient, massprovisioningv1.RegisterOffice365ServiceHandlerClient),
		Generated(massprovisioningv1.UsersAndDevicesService_ServiceDesc.ServiceName, massprovisioningv1.NewUsersAndDevicesServiceClient, massprovisioningv1.RegisterUsersAndDevicesServiceHandlerClient),
		Generated(rvcpprovisioningv1.CloudPbxService_ServiceDesc.ServiceName, rvcpprovisioningv1.NewCloudPbxServiceClient, rvcpprovisioningv1.RegisterCloudPbxServiceHandlerClient),
		Generated(rvcpprovisioningv1.CloudPbxDeviceService_ServiceDesc.ServiceName, rvcpprovisioningv1.NewCloudPbxDeviceServiceClient, rvcpprovisioningv1.RegisterCloudPbxDeviceServiceHandlerClient),
		Generated(rvcpprovisioningv1.CloudPbxDeviceKeyService_ServiceDesc.ServiceName, rvcpprovisioningv1.NewCloudPbxDeviceKeyServiceClient, rvcpprovisioningv1.RegisterCloudPbxDeviceKeyServiceHandlerClient),
		Generated(rvcpprovisioningv1.CloudPbxGreetingService_ServiceDesc.ServiceName, rvcpprovisioningv1.NewCloudPbxGreetingServiceClient, rvcpprovisioningv1.RegisterCloudPbxGreetingServiceHandlerClient),
		Generated(rvcpprovisioningv1.CloudPbxGroupForwardService_ServiceDesc.ServiceName, rvcpprovisioningv1.NewCloudPbxGroupForwardServiceClient, rvcpprovisioningv1.RegisterCloudPbxGroupForwardServiceHandlerClient),
		Generated(rvcpprovisioningv1.CloudPbxGroupVoicemailGreetingService_ServiceDesc.ServiceName, rvcpprovisioningv1.NewCloudPbxGroupVoicemailGreetingServiceClient, rvcpprovisioningv1.RegisterCloudPbxGroupVoicemailGreetingServiceHandlerClient),
		Generated(rvcpprovisioningv1.CloudPbxPhoneNumberService_ServiceDesc.ServiceName, rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient, rvcpprovisioningv1.RegisterCloudPbxPhoneNumberServiceHandlerClient),
		Generated(rvcpprovisioningv1.CloudPbxRecordingService_ServiceDesc.ServiceName, rvcpprovisioningv1.NewCloudPbxRecordingServiceClient, rvcpprovisioningv1.RegisterCloudPbxRecordingServiceHandlerClient),
		Generated(rvcpprovisioningv1.CloudPbxSubscriberService_ServiceDesc.ServiceName, rvcpprovisioningv1.NewCloudPbxSubscriberServiceClient, rvcpprovisioningv1.RegisterCloudPbxSubscriberServiceHandlerClient),
		Generated(rvcpprovisioningv1.CloudPbxWelcomeService_ServiceDesc.ServiceName, rvcpprovisioningv1.NewCloudPbxWelcomeServiceClient, rvcpprovisioningv1.RegisterCloudPbxWelcomeServiceHandlerClient),
		Generated(rvcpprovisioningv1.ExternalTrunkService_ServiceDesc.ServiceName, rvcpprovisioningv1.NewExternalTrunkServiceClient, rvcpprovisioningv1.RegisterExternalTrunkServiceHandlerClient),
		Generated(subscriptionv1.AboutService_ServiceDesc.ServiceName, subscriptionv1.NewAboutServiceClient, subscriptionv1.RegisterAboutServiceHandlerClient),
		Generated(subscriptionv1.CompaniesService_ServiceDesc.ServiceName, subscriptionv1.NewCompaniesServiceClient, subscriptionv1.RegisterCompaniesServiceHandlerClient),
		Generated(subscriptionv1.DevelopersService_ServiceDesc.ServiceName, subscriptionv1.NewDevelopersServiceClient, subscriptionv1.RegisterDevelopersServiceHandlerClient),
		Generated(subscriptionv1.InvoicesService_ServiceDesc.ServiceName, subscriptionv1.NewInvoicesServiceClient, subscriptionv1.RegisterInvoicesServiceHandlerClient),
		Generated(subscriptionv1.OffersService_ServiceDesc.ServiceName, subscriptionv1.NewOffersServiceClient, subscriptionv1.RegisterOffersServiceHandlerClient),
		Generated(subscriptionv1.QuotationsService_ServiceDesc.ServiceName, subscriptionv1.NewQuotationsServiceClient, subscriptionv1.RegisterQuotationsServiceHandlerClient),
		Generated(subscriptionv1.SubscriptionsService_ServiceDesc.ServiceName, subscriptionv1.NewSubscriptionsServiceClient, subscriptionv1.RegisterSubscriptionsServiceHandlerClient),
		Generated(subscriptionv1.SubscriptionsFromFileService_ServiceDesc.ServiceName, subscriptionv1.NewSubscriptionsFromFileServiceClient, subscriptionv1.RegisterSubscriptionsFromFileServiceHandlerClient),
	}
}

// Generated makes a Service of what protoc-gen-go-grpc and protoc-gen-grpc-gateway wrote for it.
func Generated[C any](name string, client func(grpc.ClientConnInterface) C, register func(context.Context, *runtime.ServeMux, C) error) Service {
	return Service{
		Name: protoreflect.FullName(name),
		Register: func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
			return register(ctx, mux, client(conn))
		},
	}
}
