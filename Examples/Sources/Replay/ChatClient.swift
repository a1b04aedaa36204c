import AsyncHTTPClient
import Foundation

/// Plays one user: asks for one streamed answer and watches how it comes.
struct ChatClient: Sendable {
    /// The body of a streaming chat completion.
    private struct Body: Encodable {
        struct Message: Encodable {
            let role = "user"
            let content: String
        }
        struct StreamOptions: Encodable {
            let includeUsage = true
        }
        let model: String
        let messages: [Message]
        let maxTokens: Int
        let stream = true
        let streamOptions = StreamOptions()
    }

    let http: HTTPClient
    /// The gateway's address without a slash at the end.
    let target: String
    let model: String
    let prompts: PromptMaker
    /// Trace seconds that a user waits for the whole answer, counted from when the request was due.
    let timeout: Double

    /// Sends request number `index` and waits for its end, at most until the timeout.
    ///
    /// Times count from when the request was due, so that a late start of Replay's own cannot make them look better.
    func send(_ item: Trace.Request, index: Int, clock: TraceClock) async -> RequestRecord {
        let lag = clock.seconds() - item.arrival
        let (outcome, firstToken) = await withTaskGroup(of: (Outcome, Double?).self) { group in
            group.addTask { await stream(item, index: index, clock: clock) }
            group.addTask {
                try? await clock.sleep(until: item.arrival + timeout)
                return (.failed("timeout"), nil)
            }
            let first = await group.next() ?? (.failed("timeout"), nil)
            group.cancelAll()
            return first
        }
        return RequestRecord(
            arrival: item.arrival,
            tokens: Tokens(prompt: item.promptTokens, generated: item.generatedTokens),
            outcome: outcome,
            firstToken: firstToken.map { $0 - item.arrival },
            total: clock.seconds() - item.arrival,
            lag: max(0, lag)
        )
    }

    /// Sends the request and reads the stream; also returns the trace time of the first content.
    private func stream(
        _ item: Trace.Request, index: Int, clock: TraceClock
    ) async -> (outcome: Outcome, firstToken: Double?) {
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request(item, index: index), deadline: .distantFuture)
        } catch {
            return (.failed("connection"), nil)
        }
        guard response.status == .ok else {
            // Read to the end, so that the connection can serve the next request.
            _ = try? await response.body.collect(upTo: 1 << 20)
            return (.failed("http-\(response.status.code)"), nil)
        }
        guard response.headers.first(name: "content-type")?.hasPrefix("text/event-stream") == true else {
            _ = try? await response.body.collect(upTo: 1 << 20)
            return (.failed("not-a-stream"), nil)
        }
        var parser = EventStreamParser()
        var judge = StreamJudge(expectedWords: item.generatedTokens)
        var firstToken: Double?
        do {
            for try await buffer in response.body {
                for event in parser.feed(Array(buffer: buffer)) where judge.take(event) && firstToken == nil {
                    firstToken = clock.seconds()
                }
            }
            return (judge.verdict(.clean), firstToken)
        } catch {
            return (judge.verdict(.lost), firstToken)
        }
    }

    /// Builds the HTTP request.
    private func request(_ item: Trace.Request, index: Int) throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: target + "/v1/chat/completions")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "accept", value: "text/event-stream")
        let prompt = prompts.prompt(index: index, tokens: item.promptTokens)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        request.body = .bytes(
            try encoder.encode(
                Body(model: model, messages: [.init(content: prompt)], maxTokens: item.generatedTokens)))
        return request
    }
}
