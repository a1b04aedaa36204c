import AsyncAlgorithms
import Hummingbird
import NIOCore
import Spillway
import SpillwayHTTPClient

extension Gateway {
    /// Answers a request that was checked.
    func answer(_ request: ModelRequest, by route: Route, to client: ClientWatch) async throws -> Response {
        let call = UpstreamCall(http: http, request: request, route: route, limits: route.limits)
        return try await request.isStreamed ? stream(call, to: client) : whole(call, to: client)
    }

    private func whole(_ call: UpstreamCall, to client: ClientWatch) async throws -> Response {
        metrics.began()
        let task = Task {
            let (result, report) = await call.route.policy.reported(call.spillwayCall) {
                (attempt) async throws(UpstreamError) -> UpstreamCall.Answer in try await call.whole(attempt)
            }
            metrics.ended(call.route, report)
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
        case .success(let answer):
            let headers: HTTPFields = [.contentType: answer.contentType]
            return Response(
                status: .ok, headers: headers.with(answer.upstream, attempts: report.attempts.count),
                body: .init(byteBuffer: answer.body))
        case .failure(let error):
            throw failure(error, report, call.route)
        }
    }

    private func stream(_ call: UpstreamCall, to client: ClientWatch) async throws -> Response {
        metrics.began()
        let began = SystemTime().now
        let pieces = AsyncChannel<UpstreamCall.Piece>()
        // The policy's operation lasts as long as the stream, so that gates learn how the whole of it went.
        let task = Task {
            let (result, report) = await call.route.policy.reported(call.spillwayCall) {
                (attempt) async throws(UpstreamError) -> Bool in
                try await call.stream(attempt, to: pieces)
                return true
            }
            metrics.ended(call.route, report)
            if case .failure(let error) = result { await pieces.send(.failed(failure(error, report, call.route))) }
            pieces.finish()
        }
        client.watch { task.cancel() }
        var iterator = pieces.makeAsyncIterator()
        let first = await withTaskCancellationHandler {
            await iterator.next()
        } onCancel: {
            task.cancel()
        }
        switch first {
        case .opened(let upstream, let attempt):
            metrics.firstContent(after: began.duration(to: SystemTime().now))
            let headers: HTTPFields = [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"]
            return Response(
                status: .ok, headers: headers.with(upstream, attempts: attempt),
                body: body(pieces, client, task))
        case .failed(let error):
            client.unwatch()
            throw error
        case .bytes, nil:
            task.cancel()
            throw APIError(PolicyError<UpstreamError>.cancelled(last: nil))
        }
    }

    /// Writes pieces as they come; the upstream is read no faster than the client.
    private func body(
        _ pieces: AsyncChannel<UpstreamCall.Piece>, _ client: ClientWatch, _ task: Task<Void, Never>
    ) -> ResponseBody {
        ResponseBody { writer in
            defer {
                client.unwatch()
                task.cancel()
            }
            for await piece in pieces {
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

    private func failure(_ error: PolicyError<UpstreamError>, _ report: CallReport, _ route: Route) -> APIError {
        var failure = APIError(error)
        let last = report.attempts.last?.target.flatMap { route.places[$0]?.upstream.name }
        failure.headers = failure.headers.with(last, attempts: report.attempts.count)
        return failure
    }
}

extension UpstreamCall {
    /// What the gates are told: asking a model again is safe, and the budget bounds its price.
    fileprivate var spillwayCall: Call {
        Call(tokens: request.tokens, idempotency: .idempotent)
    }
}

extension HTTPFields {
    /// These fields, and who answered at which attempt.
    fileprivate func with(_ upstream: String?, attempts: Int) -> HTTPFields {
        var fields = self
        fields[.init("x-spillway-attempts")!] = "\(attempts)"
        fields[.init("x-spillway-upstream")!] = upstream
        return fields
    }
}
