import CostLedger
import Foundation
import Hummingbird
import Spillway
import SpillwayHTTPClient

extension Gateway {
    /// Answers a request that was checked.
    func answer(
        _ request: ModelRequest, by route: Route, paidBy bill: Bill?, to client: ClientWatch
    ) async throws -> Response {
        let call = UpstreamCall(http: http, request: request, route: route, bill: bill)
        metrics.began()
        return try await request.isStreamed ? stream(call, to: client) : whole(call, to: client)
    }

    private func whole(_ call: UpstreamCall, to client: ClientWatch) async throws -> Response {
        let task = Task {
            let (result, report) = await call.route.reported(call.call) {
                (attempt) async throws(UpstreamError) -> (answer: WholeAnswer, place: Route.Place) in
                let (answer, place) = (try await call.whole(attempt), call.place(attempt))
                // Here, because an answer that came second cost as much.
                metrics.took(answer.usage, at: place)
                return (answer, place)
            }
            metrics.ended(call.route, report)
            log(call, report)
            return (result: result, report: report)
        }
        client.watch { task.cancel() }
        defer { client.unwatch() }
        let (result, report) = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        switch result {
        case .success(let (answer, place)):
            try await storeCost(of: call)
            let headers: HTTPFields = [.contentType: answer.contentType]
            let origin = call.origin(
                place.upstream.name, answer.model.isEmpty ? place.asked(for: call.request.model) : answer.model)
            return Response(status: .ok, headers: headers.naming(origin), body: .init(byteBuffer: answer.body))
        case .failure(let error):
            throw failure(error, seen: error.underlying, report, call)
        }
    }

    /// Returns when what the call has cost would outlive the process, as far as the ledger promises that.
    private func storeCost(of call: UpstreamCall) async throws(APIError) {
        do throws(LedgerStoreError) {
            try await call.bill?.account.ledger.storedBeforeAnswer()
        } catch {
            logger.error("the ledger cannot store what a call has cost: \(error)")
            throw .ledgerUnavailable
        }
    }

    private func stream(_ call: UpstreamCall, to client: ClientWatch) async throws -> Response {
        let began = SystemTime().now
        let outlet = Outlet(wantsUsage: call.request.wantsUsage, tellsCost: call.bill != nil)
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
                try await call.stream(attempt, relay, to: outlet)
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
                try await storeCost(of: call)
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
                case .opened: break
                }
            }
            // Pieces also end when this task is cancelled: then the answer must not look whole.
            try Task.checkCancellation()
            try await writer.finish(nil)
        }
    }

    /// What the client is told of a call that failed with `error`, of which `last` is the upstream's error that matters.
    private func failure(
        _ error: PolicyError<UpstreamError>, seen last: UpstreamError?, _ report: CallReport, _ call: UpstreamCall
    ) -> APIError {
        var failure = unpaid(error, last, report, call) ?? APIError(error, seen: last)
        let place = report.attempts.last?.target.flatMap { call.route.places[$0] }
        failure.headers = failure.headers.naming(call.origin(place?.upstream.name, nil))
        return failure
    }
}
