import Spillway
import SpillwayHTTPClient

extension Configuration.Calls {
    private static let names = [
        "deadlineSeconds", "minimumSeconds", "attemptSeconds", "firstContentSeconds", "stallSeconds",
        "tokensPerSecond", "patienceSeconds", "slow", "retries", "backoff", "hedge", "queue", "shed", "commit",
        "recovery",
    ]

    /// Reads the field `policy` of the file, which has more fields for what all models share.
    init(policy field: Field) throws {
        self.init()
        try read(try field.fields(in: Self.names + ["budget", "tenantLimit"]), field)
    }

    /// Reads the field `policy` of a model: what it does not say is as in `calls`.
    init(model field: Field, over calls: Self) throws {
        self = calls
        try read(try field.fields(in: Self.names), field)
    }

    private mutating func read(_ fields: Fields, _ field: Field) throws {
        deadline = try fields.seconds("deadlineSeconds") ?? deadline
        minimum = try fields.seconds("minimumSeconds", atLeast: 0) ?? minimum
        try limits.read(fields)
        if let own = fields["slow"] { slow = own.node.string == "none" ? nil : try SlowAnswer(own) }
        retries = try fields.count("retries", in: 0...100) ?? retries
        backoff = try fields["backoff"].map { try Backoff($0) } ?? backoff
        if let own = fields["hedge"] {
            hedge = own.node.string == "none" ? nil : try Configuration.Hedging(own)
        }
        if let own = fields["queue"] {
            queue = own.node.string == "none" ? nil : try FairQueue.Configuration(own)
        }
        if let own = fields["shed"] {
            shed = own.node.string == "none" ? nil : try LoadShedder.Configuration(own)
            if shed != nil, queue == nil { throw own.fault("needs a queue, whose length is the load") }
        }
        commit = try fields["commit"].map { try CommitPoint($0) } ?? commit
        recovery =
            try fields["recovery"]?.choice([
                // Each upstream says by itself how it is asked to.
                "fail": .fail, "restart": .restart, "continue": .continue(.flags),
            ]) ?? recovery
        let calls = self
        // Made once to be checked, and again when the gateway starts.
        try field.blame { () throws(ConfigurationError) in
            let budget = try RetryBudget()
            _ = try Policy("check") { () throws(ConfigurationError) in
                try Deadline(calls.deadline, atLeast: calls.minimum)
                if let hedge = calls.hedge { try Hedge(after: hedge.delay, upTo: hedge.upTo, budget: budget) }
                try calls.limits.timeout()
            }
        }
    }
}

extension Configuration.Limits {
    /// Takes what `fields` say, and leaves the rest as it is.
    mutating func read(_ fields: Fields) throws {
        attempt = try fields.seconds("attemptSeconds") ?? attempt
        // What is not given here gives way to a shorter attempt; what is given must fit.
        let most = fields["attemptSeconds"] == nil ? nil : attempt
        firstContent = try fields.seconds("firstContentSeconds") ?? min(firstContent, most ?? firstContent)
        stall = try fields.seconds("stallSeconds") ?? min(stall, most ?? stall)
        tokensPerSecond = try fields.number("tokensPerSecond", in: 1e-6...1e6) ?? tokensPerSecond
        patience = try fields.seconds("patienceSeconds") ?? patience
    }
}

extension CommitPoint {
    /// Reads the field `commit`.
    fileprivate init(_ field: Field) throws {
        if field.node.mapping != nil {
            self = .tokens(try field.fields("tokens").required("tokens").count(in: 1...1_000_000))
        } else {
            self = try field.choice(["firstToken": .firstToken, "wholeAnswer": .wholeAnswer])
        }
    }
}

extension SlowAnswer {
    /// Reads the field `slow`.
    fileprivate init(_ field: Field) throws {
        let fields = try field.fields("firstContentSeconds", "tokensPerSecond")
        guard !fields.names.isEmpty else { throw field.fault("needs firstContentSeconds, tokensPerSecond, or both") }
        let first = try fields.seconds("firstContentSeconds")
        let rate = try fields.number("tokensPerSecond", in: 1e-6...1e6)
        self = try field.blame { () throws(ConfigurationError) in
            try SlowAnswer(firstContent: first, tokensPerSecond: rate)
        }
    }
}
