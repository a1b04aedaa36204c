import ArgumentParser
import Foundation
import Spillway

/// What the command line says.
struct Options: ParsableArguments {
    @Option(help: "Folder of texts; hidden files and links are passed over.")
    var input: String
    @Option(help: "Where embeddings are asked for, such as http://127.0.0.1:9100/v1/embeddings.")
    var endpoint: String
    @Option(help: "Model to ask for.")
    var model: String
    @Option(help: "Folder for the journal and the results.")
    var output: String
    @Option(name: .customLong("extension"), help: "Extension of the texts, may be repeated (default: txt, md).")
    var extensions: [String] = []
    @Option(help: "Most tokens of a passage, at four bytes a token.")
    var passageTokens = 400
    @Option(help: "Tokens of a passage's end that the next one begins with.")
    var overlapTokens = 50
    @Option(help: "Most passages in a request.")
    var batchPassages = 64
    @Option(help: "Most tokens in a request.")
    var batchTokens = 8_000
    @Option(help: "Most requests in flight; how many are, is found by how long answers take.")
    var concurrency = 16
    @Option(help: "Most requests a minute; without it, what the endpoint's headers say.")
    var requestsPerMinute: Int?
    @Option(help: "Most tokens a minute; without it, what the endpoint's headers say.")
    var tokensPerMinute: Int?
    @Option(help: "Retries of one request, out of a budget of a fifth of all requests.")
    var retries = 5
    @Option(help: "Seconds that one request may take.")
    var timeout = 60.0
    @Option(help: "Seconds in which nothing succeeds before the run ends.")
    var patience = 600.0
    @Option(help: "Numbers in a vector, where the model has a choice.")
    var dimensions: Int?
    @Option(help: "Environment variable with the API key; without it no key is sent.")
    var apiKeyEnv: String?
    @Option(help: "Most dollars that all runs into the same output may spend.")
    var budgetDollars: String?
    @Option(help: "What a million tokens cost; without it, what the library's book says of the model.")
    var dollarsPerMillionTokens: String?
    @Flag(help: "Ask again for passages that the endpoint has refused before.")
    var retryFailed = false
    @Option(help: "Seconds between two lines of progress where standard error is no terminal.")
    var progressInterval = 5.0

    /// Throws a `ValidationError` that names the first flag whose value makes no sense.
    func validate() throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: input, isDirectory: &isFolder), isFolder.boolValue else {
            throw ValidationError("--input: '\(input)' is no folder")
        }
        _ = try baseURL
        guard !model.isEmpty else { throw ValidationError("--model: must not be empty") }
        guard !output.isEmpty else { throw ValidationError("--output: must not be empty") }
        for name in extensions where name.isEmpty || name.contains("/") {
            throw ValidationError("--extension: '\(name)' is none, such as txt")
        }
        try Self.check("--passage-tokens", passageTokens, in: 8...100_000)
        // More would leave little that is new in a passage.
        try Self.check("--overlap-tokens", overlapTokens, in: 0...(passageTokens / 3))
        try Self.check("--batch-passages", batchPassages, in: 1...2_048)
        try Self.check("--batch-tokens", batchTokens, in: passageTokens...10_000_000)
        try Self.check("--concurrency", concurrency, in: 1...1_000)
        try Self.check("--requests-per-minute", requestsPerMinute ?? 1, in: 1...100_000_000)
        try Self.check("--tokens-per-minute", tokensPerMinute ?? batchTokens, in: batchTokens...2_000_000_000)
        try Self.check("--retries", retries, in: 0...100)
        try Self.check("--dimensions", dimensions ?? 1, in: 1...65_536)
        let times = [("--timeout", timeout), ("--patience", patience), ("--progress-interval", progressInterval)]
        for (flag, seconds) in times where !(0.01...86_400).contains(seconds) {
            throw ValidationError("\(flag): \(seconds) is not from 0.01 to 86400 seconds")
        }
        _ = try callSettings(environment: [apiKeyEnv ?? "": "key"])
    }

    /// The run that is asked for.
    func job(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> EmbeddingJob {
        let output = URL(fileURLWithPath: output)
        let names = extensions.isEmpty ? ["txt", "md"] : extensions.map { $0.lowercased().filter { $0 != "." } }
        return EmbeddingJob(
            folder: TextFolder(root: URL(fileURLWithPath: input), extensions: Set(names), except: output),
            cutter: PassageCutter(tokens: passageTokens, overlap: overlapTokens),
            calls: try callSettings(environment: environment), batchPassages: batchPassages, batchTokens: batchTokens,
            output: output, retriesFailed: retryFailed)
    }

    private func callSettings(environment: [String: String]) throws -> CallSettings {
        var settings = CallSettings(baseURL: try baseURL, model: model)
        settings.dimensions = dimensions
        settings.concurrency = concurrency
        settings.requestsPerMinute = requestsPerMinute
        settings.tokensPerMinute = tokensPerMinute
        settings.retries = retries
        settings.timeout = .seconds(timeout)
        settings.patience = .seconds(patience)
        settings.budget = try Self.money("--budget-dollars", budgetDollars)
        settings.price = try Self.money("--dollars-per-million-tokens", dollarsPerMillionTokens)
        if settings.budget != nil, settings.prices == nil {
            throw ValidationError(
                "--budget-dollars: \(budgetDollars ?? "") needs a price, and none of '\(model)' is known; give "
                    + "--dollars-per-million-tokens")
        }
        if let name = apiKeyEnv {
            guard let key = environment[name], !key.isEmpty else {
                throw ValidationError("--api-key-env: there is no environment variable '\(name)'")
            }
            settings.apiKey = key
        }
        return settings
    }

    /// The endpoint without its last part, which the client adds.
    private var baseURL: String {
        get throws {
            let url = URLComponents(string: endpoint)
            guard let url, ["http", "https"].contains(url.scheme), url.host?.isEmpty == false, url.query == nil,
                url.fragment == nil, url.password == nil, url.path.hasSuffix("/embeddings")
            else {
                throw ValidationError("--endpoint: '\(endpoint)' is not like http://127.0.0.1:9100/v1/embeddings")
            }
            return String(endpoint.dropLast("/embeddings".count))
        }
    }

    private static func money(_ flag: String, _ text: String?) throws -> Money? {
        guard let text else { return nil }
        guard let money = Money(dollars: text), money > .zero else {
            throw ValidationError("\(flag): '\(text)' is not dollars above 0, such as 5 or 0.02")
        }
        return money
    }

    private static func check(_ flag: String, _ value: Int, in range: ClosedRange<Int>) throws {
        guard range.contains(value) else {
            throw ValidationError("\(flag): \(value) is not from \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
