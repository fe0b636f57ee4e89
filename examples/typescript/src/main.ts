/**
 * A client of Rainbow Gateway in TypeScript: what a service of your own would do, in code generated from proto/.
 *
 * It expects a gateway with the embedded Rainbow (gateway serve --upstream sandbox) and prints what it does.
 *
 *     node dist/src/main.js [address [manifest]]
 */
import { readFile } from "node:fs/promises";

import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { BadRequestSchema, ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.js";
import type { User } from "../gen/rainbow/admin/v1/user_pb.js";
import { UsersService } from "../gen/rainbow/admin/v1/users_pb.js";
import { UpstreamErrorSchema } from "../gen/rainbow/errors/v1/errors_pb.js";
import { InvoicesService } from "../gen/rainbow/invoicing/v1/invoices_pb.js";
import { CloudPbxService } from "../gen/rainbow/rvcpprovisioning/v1/cloud_pbx_pb.js";
import { PlanService } from "../gen/rainbow/sync/v1/plan_service_pb.js";
import { all } from "./paging.js";

const title = (words: string) => console.log(`\n== ${words}`);
const json = (text: string) => new TextEncoder().encode(text);
const text = (extraJson: Uint8Array | undefined) => new TextDecoder().decode(extraJson);

/** Shows the first Cloud PBX and returns the company that it is of. */
async function cloudPbx(transport: Transport): Promise<string> {
  title("The Cloud PBX");
  const { data } = await createClient(CloudPbxService, transport).listCloudPbxs({ limit: 1 });
  const pbx = data[0];
  if (!pbx?.companyId) throw new Error("no Cloud PBX");
  console.log(`${pbx.name}, ${pbx.status}, reached as ${pbx.cloudpbx?.installationNumber}`);
  return pbx.companyId;
}

/** Walks all users of a company and returns the first who has an extension. */
async function walkUsers(transport: Transport, companyId: string): Promise<User> {
  title("All users, page by page");
  const client = createClient(UsersService, transport);
  const page = async (offset: number, limit: number) => {
    console.log(`  asking for ${limit} users from ${offset} on`);
    // loginEmail is unique, so that the order is the same for each page.
    const answer = await client.listUsers({ companyId, format: "full", sortField: "loginEmail", offset, limit });
    return { rows: answer.data, total: answer.total ?? 0 };
  };
  let first: User | undefined;
  let count = 0;
  for await (const user of all(10, (u: User) => u.id ?? "", page)) {
    count++;
    if (user.phoneNumbers.length > 0) first ??= user;
  }
  if (!first) throw new Error("no user has an extension");
  console.log(`${count} users; the first with an extension is ${first.displayName}`);
  return first;
}

/**
 * Changes a user. A member that is not given is not sent, so Rainbow leaves it; null, and members that the protos do not
 * know, travel in extraJson both ways.
 */
async function absentAndNull(transport: Transport, userId: string): Promise<void> {
  title("Absent, null, and members without a field");
  const client = createClient(UsersService, transport);
  for (const body of [
    { title: "Dr", jobTitle: "Operator", customData: { extraJson: json('{"badge":"0017","floor":null}') } },
    { extraJson: json('{"jobTitle":null}') }, // title is absent and stays
  ]) {
    const { data: user } = await client.updateUser({ userId, body });
    console.log(`title ${user?.title}, job title ${user?.jobTitle}, custom data ${text(user?.customData?.extraJson)}`);
  }
}

/** Asks for what Rainbow refuses and reads why. */
async function refusal(transport: Transport, userId: string): Promise<void> {
  title("A refusal, with its details");
  try {
    await createClient(UsersService, transport).updateUser({ userId, body: { password: "short" } });
  } catch (error) {
    const refused = ConnectError.from(error);
    console.log(Code[refused.code]);
    for (const d of refused.findDetails(UpstreamErrorSchema)) {
      console.log(`  Rainbow said ${d.httpStatus} ${d.errorMsg}, code ${d.errorDetailsCode}`);
    }
    for (const d of refused.findDetails(ErrorInfoSchema)) console.log(`  reason ${d.reason}`); // what programs decide by
    for (const d of refused.findDetails(BadRequestSchema)) {
      for (const v of d.fieldViolations) console.log(`  ${v.field}: ${v.description}`);
    }
    return;
  }
  throw new Error("a password of five characters was taken");
}

/** Reads a file in pieces, whatever its size. */
async function download(transport: Transport, companyId: string): Promise<void> {
  title("A file, in pieces");
  const client = createClient(InvoicesService, transport);
  const { items } = await client.listInvoices({ companyId, invoiceType: "services", fileType: "INV" });
  const invoicePath = items[0]?.filepath;
  if (!invoicePath) throw new Error("no invoice");
  let size = 0;
  for await (const piece of client.downloadDownloadInvoice({ invoicePath })) size += piece.data.length;
  console.log(`${invoicePath}: ${size} bytes`);
}

/** Hands a manifest over and shows what would be done; nothing is changed. */
async function plan(transport: Transport, manifest: string): Promise<void> {
  title("A manifest, planned");
  const client = createClient(PlanService, transport);
  const made = await client.createPlan({
    parent: "companies/-",
    refresh: true,
    manifest: [{ name: "rainbowvoice.csv", content: await readFile(manifest) }],
  });
  console.log(made.summary);
  const { operations } = await client.listPlanOperations({ parent: made.name, pageSize: 5 });
  for (const step of operations) console.log(`  ${step.id}. ${step.title}: ${step.reason}`);
  console.log(`  … and ${made.operationCount - operations.length} more`);
}

const [gateway = "127.0.0.1:9090", manifest = "../../samples/rainbowvoice.csv"] = process.argv.slice(2);
// A call without credentials of its own goes on as the gateway's service account; with an interceptor that sets the header
// authorization it goes on as the caller.
const transport = createGrpcTransport({ baseUrl: `http://${gateway}`, defaultTimeoutMs: 60_000 });
const companyId = await cloudPbx(transport);
const user = await walkUsers(transport, companyId);
await absentAndNull(transport, user.id ?? "");
await refusal(transport, user.id ?? "");
await download(transport, companyId);
await plan(transport, manifest);
