import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Spillway
import SpillwayHTTPClient

extension Gateway {
    /// Does jobs until the task is cancelled, and gives back then what was not done.
    func work() async throws {
        guard let jobs, let own = configuration.jobs else { return }
        let routes = Array(routes.values)
        try await jobs.work(upTo: own.workers) { now in
            // Whoever waits for an answer comes first.
            self.isReady && routes.allSatisfy { ($0.queue?.pressure(at: now) ?? 0) < own.loadBelow }
        } _: { run in
            try await self.answer(run)
        }
    }

    /// Makes the call of a job by its route, but for the tier that puts calls off.
    private func answer(_ run: JobRun) async throws -> [UInt8] {
        let call: UpstreamCall
        do {
            let errand = try JSONDecoder().decode(Errand.self, from: Data(run.payload))
            let caller = errand.key.map { treasury?.caller(named: $0) } ?? treasury?.anybody()
            if errand.key != nil || treasury?.needsKeys == true, caller == nil {
                throw JobRefused(.authentication, "the key that asked for it is not known any more")
            }
            let request = try ModelRequest(
                ByteBuffer(bytes: errand.body), kind: errand.kind,
                assumedOutput: treasury?.ledger == nil ? nil : treasury?.assumedOutput)
            let route = try self.route(request.model)
            let bill = try caller.flatMap { try treasury?.bill(request, by: route, for: $0, session: errand.session) }
            call = UpstreamCall(
                http: http, request: request, route: route, bill: bill, tenant: errand.tenant, needs: errand.needs,
                conversation: await conversation(errand.session, of: errand.tenant, by: route))
        } catch let error as APIError {
            let isWrong = (400..<500).contains(error.status.code)
            throw JobRefused(isWrong ? .invalidRequest : .rejected, String(buffer: error.json))
        }
        begin(call)
        let (result, report) = await reply(to: call)
        switch result {
        case .success(let reply):
            try await keep(call)
            let origin = reply.origin(call, report.mode, report.steps)
            switch reply {
            case .answer(let answer, _, _): return JobPage.result(answer, origin)
            case .kept(let kept): return JobPage.result(kept.value, origin)
            case .ticket: throw JobRefused(.noAnswer, "it was put off again")
            }
        case .failure(let error): throw JobRefused(error, call.lastFailure, report)
        }
    }

    /// Accepts a call to be made later.
    ///
    /// - Parameter key: By it the same call is found again.
    /// - Throws: ``APIError``.
    func submit(_ errand: Errand, key: String?) async throws -> Job {
        guard let jobs else { throw APIError(.notFound, "There are no jobs here", code: "no_jobs") }
        do throws(JobError) {
            return try await jobs.submit(
                try! errand.bytes(), key: key, tenant: errand.tenant ?? "",
                criticality: CallContext.current?.criticality)
        } catch {
            throw APIError(error)
        }
    }

    /// The endpoints of jobs.
    func addJobs(to router: Router<GatewayContext>) {
        router.get("v1/jobs/{id}") { request, context in
            let (jobs, id, tenant) = try self.named(request, context)
            guard
                let job = try await Self.asked({ () async throws(JobError) -> Job? in
                    try await jobs.job(id, tenant: tenant)
                })
            else {
                throw APIError.noJob
            }
            return JobPage(job).response
        }
        router.delete("v1/jobs/{id}") { request, context in
            let (jobs, id, tenant) = try self.named(request, context)
            guard
                let job = try await Self.asked({ () async throws(JobError) -> Job? in
                    try await jobs.cancel(id, tenant: tenant)
                })
            else { throw APIError.noJob }
            return JobPage(job).response
        }
        router.get("v1/jobs/{id}/events") { request, context in
            let (jobs, id, tenant) = try self.named(request, context)
            guard
                try await Self.asked({ () async throws(JobError) -> Job? in try await jobs.job(id, tenant: tenant) })
                    != nil
            else {
                throw APIError.noJob
            }
            return try await self.follow(jobs.changes(of: id, tenant: tenant), to: context.client)
        }
    }

    /// The job that a request names, and whose it must be.
    private func named(_ request: Request, _ context: GatewayContext) throws -> (JobQueue, JobID, String) {
        let caller = try caller(request)
        guard let jobs, let id = context.parameters.get("id").flatMap({ JobID($0) }) else { throw APIError.noJob }
        return (jobs, id, caller?.tenant ?? tenantName(request.headers) ?? "")
    }

    private static func asked<Value>(_ ask: () async throws(JobError) -> Value) async throws -> Value {
        do throws(JobError) {
            return try await ask()
        } catch {
            throw APIError(error)
        }
    }

    /// A stream of what becomes of a job.
    private func follow(_ changes: JobChanges, to client: ClientWatch) -> Response {
        let (pages, send) = AsyncStream.makeStream(of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(16))
        let task = Task {
            defer { send.finish() }
            for try await job in changes {
                var event = ByteBuffer(string: "event: job\ndata: ")
                event.writeImmutableBuffer(JobPage(job).json)
                event.writeString("\n\n")
                send.yield(event)
            }
        }
        client.watch { task.cancel() }
        let body = ResponseBody { writer in
            defer {
                client.unwatch()
                task.cancel()
            }
            for await page in pages { try await writer.write(page) }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"],
            body: body)
    }
}

/// Why a run of a job came to nothing.
struct JobRefused: OutcomeError, CustomStringConvertible {
    let outcome: Outcome
    let description: String

    /// A failure of this cause.
    init(_ cause: Outcome.Cause, _ description: String) {
        outcome = .of(cause)
        self.description = description
    }

    /// How a call failed, of which `last` is the last failure of an upstream.
    init(_ error: PolicyError<UpstreamError>, _ last: UpstreamError?, _ report: CallReport) {
        let own = error.underlying.flatMap { $0.outcome.cause == .noAnswer ? nil : $0 }
        if let last = own ?? last {
            (outcome, description) = (last.outcome, last.message)
        } else if case .timedOut = error {
            (outcome, description) = (.of(.timeout), "\(error.reason)")
        } else {
            // It was not begun: a run that does not count.
            let soonest = report.rejections.compactMap(\.retryAfter).min()
            outcome = .of(.rejected, retryAfter: soonest)
            let steps = report.steps.map(\.description).joined(separator: ", ")
            description = steps.isEmpty ? "\(error.reason)" : steps
        }
    }
}

extension APIError {
    /// There is no such job, or it is somebody else's.
    fileprivate static var noJob: APIError { APIError(.notFound, "There is no such job", code: "job_not_found") }

    /// What a client is told when a job cannot be kept or found.
    fileprivate init(_ error: JobError) {
        switch error {
        case .rejected(let rejection): self.init(rejection, .serviceUnavailable)
        case .keyReused:
            self.init(
                .unprocessableContent, "The idempotency key was used for another request",
                param: "idempotency-key", code: "idempotency_key_reused")
        case .tooLarge(let field, _, let most):
            self.init(.contentTooLarge, "\(field): more than \(most) bytes", param: field, code: "request_too_large")
        case .notFound: self = .noJob
        case .store:
            // What the disk says is not for the client.
            self.init(
                .serviceUnavailable, "Jobs cannot be kept now", type: "overloaded_error", code: "store_unavailable")
            headers[.retryAfter] = "1"
        }
    }
}
