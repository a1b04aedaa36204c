import ArgumentParser
import AsyncHTTPClient
import Foundation
import Hummingbird
import Spillway
import SpillwaySQLite

/// A chat service that holds the library itself: `POST /chat` with a question, `GET /jobs/ID` for an answer that comes later.
@main
struct Assistant: AsyncParsableCommand {
    @Option(help: "Where the large model is served.") var large = "http://127.0.0.1:9101/v1"
    @Option(help: "Where the small model is served.") var small = "http://127.0.0.1:9102/v1"
    @Option(help: "What both are called there.") var model = "fake-7b"
    @Option(help: "What a day may cost, in dollars.") var dollars = 10
    @Option(help: "The folder in which passages are found.") var texts = "docs"
    @Option(help: "The file of jobs.") var jobs = "assistant.sqlite"
    @Option(help: "The port to listen on.") var port = 8090

    func run() async throws {
        let store = try await SQLiteJobStore(jobs)
        let ladder = try Ladder(
            urls: ["large": large, "small": small], model: model, dollars: dollars, passages: Passages(folder: texts),
            store: store, http: HTTPClient(configuration: .underPolicy))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await ladder.work() }
            group.addTask {
                try await Application(
                    router: Self.router(ladder), configuration: .init(address: .hostname("127.0.0.1", port: port))
                )
                .runService()
            }
            try await group.next()
            group.cancelAll()
        }
    }

    struct Reply: ResponseEncodable {
        /// The answer, or the name of the job that will have it.
        let text: String, tier: String
        /// Why it is not the best one; empty when it is.
        let because: [String]
    }

    static func router(_ ladder: Ladder) -> Router<BasicRequestContext> {
        let router = Router()
        router.post("chat") { request, context in
            let fields = try await request.decode(as: [String: String].self, context: context)
            guard let question = fields["question"] else {
                throw HTTPError(.badRequest, message: "question: is missing")
            }
            let answer = try await ladder.answer(question, for: tenant(request))
            let reply = Reply(
                text: answer.text, tier: answer.mode?.tier ?? "", because: answer.steps.map(\.description))
            var response = try reply.response(from: request, context: context)
            guard answer.mode?.kind == .deferral else { return response }
            response.status = .accepted
            response.headers[.location] = "/jobs/\(answer.text)"
            return response
        }
        router.get("jobs/{id}") { request, context in
            guard let id = JobID(try context.parameters.require("id")),
                let job = try await ladder.jobs.job(id, tenant: tenant(request))
            else { throw HTTPError(.notFound) }
            guard case .done(let text) = job.state else { return "\(job.state)" }
            return String(decoding: text, as: UTF8.self)
        }
        return router
    }

    private static func tenant(_ request: Request) -> String { request.headers[.init("x-tenant")!] ?? "nobody" }
}
