import CostLedger
import Foundation
import Hummingbird
import Spillway
import SpillwayHTTPClient

extension Gateway {
    /// Answers a request that was checked.
    func answer(_ call: UpstreamCall, to client: ClientWatch) async throws -> Response {
        begin(call)
        return try await call.request.isStreamed ? stream(call, to: client) : whole(call, to: client)
    }

    /// Counts a call whose attempts begin.
    func begin(_ call: UpstreamCall) {
        metrics.began()
        // Here, because also a call that is refused for want of replicas has come for them.
        call.route.entrance?.capacity?.came(at: SystemTime().now)
    }

    private func whole(_ call: UpstreamCall, to client: ClientWatch) async throws -> Response {
        let task = Task { await reply(to: call) }
        client.watch { task.cancel() }
        defer { client.unwatch() }
        let (result, report) = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        switch result {
        case .success(let reply):
            try await keep(call)
            return reply.response(to: call, report)
        case .failure(let error):
            throw failure(error, seen: error.underlying, report, call)
        }
    }

    /// Makes a call for a whole answer, and writes down how it went.
    func reply(
        to call: UpstreamCall
    ) async -> (result: Result<Reply, PolicyError<UpstreamError>>, report: CallReport) {
        let (result, report) = await call.route.reported(call.call) {
            (attempt) async throws(UpstreamError) -> Reply in
            guard let place = attempt.target.flatMap({ call.route.places[$0] }) else {
                return try await call.reply(of: attempt)
            }
            let (answer, replica) = try await call.whole(attempt, at: place)
            call.route.ladder?.kept?.keep(answer, of: attempt, to: call)
            // Here, because an answer that came second cost as much.
            metrics.took(answer.usage, at: place)
            return .answer(answer, place, replica: replica)
        }
        metrics.ended(call.route, report)
        log(call, report)
        return (result, report)
    }

    /// Returns when what the call has cost would outlive the process, as far as the ledger promises that, and the next turn of
    /// its conversation finds its replica.
    func keep(_ call: UpstreamCall) async throws(APIError) {
        await rememberTurn(of: call)
        do throws(StoreError) {
            try await call.bill?.account.ledger.storedBeforeAnswer()
        } catch {
            logger.error("the ledger cannot store what a call has cost: \(error)")
            throw .ledgerUnavailable
        }
    }

    private func stream(_ call: UpstreamCall, to client: ClientWatch) async throws -> Response {
        let began = SystemTime().now
        let outlet = Outlet(wantsUsage: call.request.wantsUsage, holdsEnd: call.bill != nil || call.conversation != nil)
        // The policy's operation lasts as long as the stream, so that gates learn how the whole of it went.
        let task = Task { await relay(call, to: outlet) }
        client.watch { task.cancel() }
        var iterator = outlet.pieces.makeAsyncIterator()
        let first = await withTaskCancellationHandler {
            await iterator.next()
        } onCancel: {
            task.cancel()
        }
        switch first {
        case .opened(let origin):
            metrics.firstContent(after: began.duration(to: SystemTime().now))
            var headers: HTTPFields = [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"]
            // Only where no attempt can follow is it known already what the call will have spent.
            if case .fail = call.route.recovery, let caller = CallContext.current {
                headers.append(contentsOf: caller.answerFields)
            }
            return Response(status: .ok, headers: headers.naming(origin), body: body(outlet, client, task))
        case .failed(let error):
            client.unwatch()
            throw error
        case .deferred(let job, let origin):
            client.unwatch()
            return JobPage(job).accepted(origin)
        case .bytes, nil:
            task.cancel()
            throw APIError(PolicyError<UpstreamError>.cancelled(last: nil))
        }
    }

    /// Makes the call, and says on `outlet` how it failed.
    private func relay(_ call: UpstreamCall, to outlet: Outlet) async {
        let route = call.route
        let journal = StreamJournal(
            route.recovery, promptTokens: Int(call.request.tokens.input), choices: call.request.choices)
        let relay = StreamRelay(journal, commit: route.commit)
        let (result, report) = await PrefillGate.$journal.withValue(journal) {
            await route.reported(call.call) { (attempt) async throws(UpstreamError) -> Bool in
                if let place = attempt.target.flatMap({ route.places[$0] }) {
                    try await call.stream(attempt, at: place, relay, to: outlet)
                } else {
                    try await call.stream(try await call.reply(of: attempt), attempt, relay, to: outlet)
                }
                return true
            }
        }
        metrics.ended(route, report)
        log(call, report)
        for cost in journal.costs {
            if let place = cost.target.flatMap({ route.places[$0] }) { metrics.took(cost.usage, at: place) }
        }
        // A limit that is met behind the end of a whole answer is nobody's failure.
        if case .failure(let error) = result, !journal.isWhole {
            let last = journal.failure(of: error)
            await outlet.fail(
                failure(error, seen: last, report, call), isCut: last?.outcome.cause == .spendLimit,
                cost: call.bill?.spent)
        } else {
            do throws(APIError) {
                try await keep(call)
                await outlet.conclude(call.bill?.spent)
            } catch {
                await outlet.fail(error, cost: call.bill?.spent)
            }
        }
        outlet.finish()
    }

    /// Writes pieces as they come; the upstream is read no faster than the client.
    private func body(_ outlet: Outlet, _ client: ClientWatch, _ task: Task<Void, Never>) -> ResponseBody {
        ResponseBody { writer in
            defer {
                client.unwatch()
                task.cancel()
            }
            for await piece in outlet.pieces {
                switch piece {
                case .bytes(let bytes): try await writer.write(bytes)
                case .failed(let error): try await writer.write(error.event)
                case .opened, .deferred: break
                }
            }
            // Pieces also end when this task is cancelled: then the answer must not look whole.
            try Task.checkCancellation()
            try await writer.finish(nil)
        }
    }

    /// What the client is told of a call that failed with `error`, of which `last` is the upstream's error that matters.
    func failure(
        _ error: PolicyError<UpstreamError>, seen last: UpstreamError?, _ report: CallReport, _ call: UpstreamCall
    ) -> APIError {
        let place = report.attempts.last?.target.flatMap { call.route.places[$0] }
        var failure: APIError
        if last?.outcome.cause == .noAnswer {
            failure = unanswered(error, report, call)
        } else {
            failure =
                unpaid(error, last, report, call) ?? stranded(last, at: place, call) ?? APIError(error, seen: last)
        }
        let origin = call.origin(
            place?.upstream.name, nil, report.mode, report.steps,
            replica: place?.upstream.fleet == nil ? nil : call.lastReplica)
        failure.headers = failure.headers.naming(origin)
        return failure
    }

    /// What the client is told when the last tier that was asked has no answer: why those above it had none.
    private func unanswered(
        _ error: PolicyError<UpstreamError>, _ report: CallReport, _ call: UpstreamCall
    ) -> APIError {
        if let last = call.lastFailure { return unpaid(error, last, report, call) ?? APIError(error, seen: last) }
        // The one to come back to first.
        let never = Duration.seconds(1 << 40)
        let soonest = report.rejections.min { ($0.retryAfter ?? never) < ($1.retryAfter ?? never) }
        if let soonest {
            let refused = PolicyError<UpstreamError>.rejected(soonest, last: nil)
            return unpaid(refused, nil, report, call) ?? APIError(refused, seen: nil)
        }
        let reason = report.steps.first?.reason ?? .noAnswer
        return APIError(
            .serviceUnavailable, "Not possible now: \(reason)", type: "overloaded_error", code: "\(reason)")
    }
}

extension UpstreamError {
    /// A tier has nothing for the call, which goes further down.
    static var noAnswer: UpstreamError { UpstreamError("the tier has no answer", NoAnswer().outcome) }
}
