import SpillwayCore

extension PriceBook {
    /// Prices of common models under the names that their own providers use, in dollars as of LiteLLM 1.109 (2026-11-21).
    ///
    /// Prices change: lay your own over them with ``merge(_:)``, or read a newer table with ``Import``. Not in it are uplifts
    /// for regions, cheaper hours, faster modes, and what is free up to some count. Source: `model_prices_and_context_window.json`
    /// of LiteLLM, MIT licence, Copyright 2023 Berri AI. The prices hold from ever on.
    public static let common = PriceBook(commonRows: commonRows)

    /// Models with a row for each service and size, in dollars: tokens by the million, searches by the piece.
    ///
    /// A row that begins with `|` goes on with the model above it.
    private static let commonRows = """
        # OpenAI
        gpt-6-astra standard input=10 output=50 read=1 write=12.5 halfDay=25 search=0.01
        | standard>272000 input=20 output=75 read=2 write=25 halfDay=50
        | batch input=5 output=25 read=0.5 write=6.25 halfDay=12.5
        | batch>272000 input=10 output=37.5 read=1 write=12.5 halfDay=25
        | flex input=5 output=25 read=0.5 write=6.25 halfDay=12.5
        | flex>272000 input=10 output=37.5 read=1 write=12.5 halfDay=25
        | priority input=20 output=100 read=2 write=25 halfDay=50
        | priority>272000 input=40 output=150 read=4 write=50 halfDay=100
        gpt-6-luna standard input=0.1 output=0.5 read=0.01 write=0.125 halfDay=0.25 search=0.01
        | standard>272000 input=0.2 output=0.75 read=0.02 write=0.25 halfDay=0.5
        | batch input=0.05 output=0.25 read=0.005 write=0.0625 halfDay=0.125
        | batch>272000 input=0.1 output=0.375 read=0.01 write=0.125 halfDay=0.25
        | flex input=0.05 output=0.25 read=0.005 write=0.0625 halfDay=0.125
        | flex>272000 input=0.1 output=0.375 read=0.01 write=0.125 halfDay=0.25
        | priority input=0.2 output=1 read=0.02 write=0.25 halfDay=0.5
        | priority>272000 input=0.4 output=1.5 read=0.04 write=0.5 halfDay=1
        gpt-5.5 standard input=5 output=30 read=0.5 search=0.01
        | standard>272000 input=10 output=45 read=1
        | batch input=2.5 output=15 read=0.25
        | batch>272000 input=5 output=22.5 read=0.5
        | flex input=2.5 output=15 read=0.25
        | flex>272000 input=5 output=22.5 read=0.5
        | priority input=12.5 output=75 read=1.25
        gpt-5.4 standard input=2.5 output=15 read=0.25
        | standard>272000 input=5 output=22.5 read=0.5
        | batch input=1.25 output=7.5 read=0.13
        | batch>272000 input=2.5 output=11.25 read=0.25
        | flex input=1.25 output=7.5 read=0.13
        | flex>272000 input=2.5 output=11.25 read=0.25
        | priority input=5 output=30 read=0.5
        gpt-5.4-mini standard input=0.75 output=4.5 read=0.075 search=0.01
        | batch input=0.375 output=2.25 read=0.0375
        | flex input=0.375 output=2.25 read=0.0375
        | priority input=1.5 output=9 read=0.15
        gpt-5 standard input=1.25 output=10 read=0.125 search=0.01
        | batch input=0.625 output=5 read=0.0625
        | flex input=0.625 output=5 read=0.0625
        | priority input=2.5 output=20 read=0.25
        gpt-5-mini standard input=0.25 output=2 read=0.025 search=0.01
        | batch input=0.125 output=1 read=0.0125
        | flex input=0.125 output=1 read=0.0125
        | priority input=0.45 output=3.6 read=0.045
        gpt-5-nano standard input=0.05 output=0.4 read=0.005 search=0.01
        | batch input=0.025 output=0.2 read=0.0025
        | flex input=0.025 output=0.2 read=0.0025
        gpt-4.1 standard input=2 output=8 read=0.5 search=0.025
        | batch input=1 output=4
        | priority input=3.5 output=14 read=0.875
        gpt-4o standard input=2.5 output=10 read=1.25
        | batch input=1.25 output=5
        | priority input=4.25 output=17 read=2.125
        gpt-4o-mini standard input=0.15 output=0.6 read=0.075 search=0.025
        | batch input=0.075 output=0.3
        | priority input=0.25 output=1 read=0.125
        o3 standard input=2 output=8 read=0.5 search=0.01
        | batch input=1 output=4
        | flex input=1 output=4 read=0.25
        | priority input=3.5 output=14 read=0.875
        o4-mini standard input=1.1 output=4.4 read=0.275 search=0.01
        | batch input=0.55 output=2.2
        | flex input=0.55 output=2.2 read=0.138
        | priority input=2 output=8 read=0.5
        text-embedding-3-large standard input=0.13 output=0
        | batch input=0.065 output=0
        text-embedding-3-small standard input=0.02 output=0
        | batch input=0.01 output=0
        # Anthropic
        claude-opus-5-5 standard input=4 output=20 read=0.2 write=5 hour=8 search=0.01
        | batch input=2 output=10 read=0.1 write=2.5
        claude-opus-4-5 standard input=5 output=25 read=0.5 write=6.25 hour=10 search=0.01
        | batch input=2.5 output=12.5 read=0.25 write=3.125
        claude-sonnet-5-5 standard input=2 output=10 read=0.1 write=2.5 hour=4 search=0.01
        | batch input=1 output=5 read=0.05 write=1.25
        claude-sonnet-4-5 standard input=3 output=15 read=0.3 write=3.75 hour=6 search=0.01
        | batch input=1.5 output=7.5 read=0.15 write=1.875
        claude-haiku-5-5 standard input=0.1 output=0.5 read=0.01 write=0.125 hour=0.2 search=0.01
        | standard>100000 input=0.5 output=2.5 read=0.05 write=0.625 hour=1
        | batch input=0.05 output=0.25 read=0.005 write=0.0625
        | batch>100000 input=0.25 output=1.25 read=0.025 write=0.3125
        claude-haiku-4-5 standard input=1 output=5 read=0.1 write=1.25 hour=2
        | batch input=0.5 output=2.5 read=0.05 write=0.625
        # Google
        gemini-2.5-pro standard input=1.25 output=10 read=0.125 search=0.035
        | standard>200000 input=2.5 output=15 read=0.25
        | batch input=0.625 output=5 read=0.125
        | batch>200000 input=1.25 output=7.5 read=0.25
        | flex input=0.625 output=5 read=0.125
        | priority input=2.25 output=18 read=0.225
        | priority>200000 input=4.5 output=27 read=0.45
        gemini-2.5-flash standard input=0.3 output=2.5 read=0.03 reasoning=2.5 audio=1 audioRead=0.1 search=0.035
        | batch input=0.15 output=1.25 read=0.03 audio=0.5 audioRead=0.1
        | flex input=0.15 output=1.25 read=0.03 audio=0.5 audioRead=0.1
        | priority input=0.54 output=4.5 read=0.054 audio=1.8 audioRead=0.18
        gemini-2.5-flash-lite standard input=0.1 output=0.4 read=0.01 reasoning=0.4 audio=0.3 audioRead=0.03 search=0.035
        | batch input=0.05 output=0.2 read=0.01 audio=0.15 audioRead=0.03
        | flex input=0.05 output=0.2 read=0.01 audio=0.15 audioRead=0.03
        | priority input=0.18 output=0.72 read=0.018 audio=0.54 audioRead=0.054
        gemini-3.5-flash standard input=1.5 output=9 read=0.15 reasoning=9 audio=1.5 search=0.014
        | batch input=0.75 output=4.5 read=0.075
        | flex input=0.75 output=4.5 read=0.08
        | priority input=2.7 output=16.2 read=0.27 audio=2.7
        gemini-3.1-pro-preview standard input=2 output=12 read=0.2 search=0.014
        | standard>200000 input=4 output=18 read=0.4
        | batch input=1 output=6 read=0.2
        | batch>200000 input=2 output=9 read=0.4
        | flex input=1 output=6 read=0.2
        | priority input=3.6 output=21.6 read=0.36
        | priority>200000 input=7.2 output=32.4 read=0.72
        gemini-embedding-001 standard input=0.15 output=0
        | batch input=0.075
        # Mistral
        mistral-large-latest standard input=0.5 output=1.5 read=0.05
        mistral-medium-latest standard input=1.5 output=7.5 read=0.15
        mistral-small-latest standard input=0.15 output=0.6 read=0.015
        # DeepSeek
        deepseek-chat standard input=0.28 output=0.42 read=0.028 write=0
        deepseek-reasoner standard input=0.28 output=0.42 read=0.028
        # Meta, hosted by Together AI
        meta-llama/Llama-3.3-70B-Instruct-Turbo standard input=1.04 output=1.04
        meta-llama/Llama-4-Scout-17B-16E-Instruct standard input=0.18 output=0.59
        """

    private init(commonRows: String) {
        self.init()
        var model = Substring()
        for row in commonRows.split(separator: "\n") where !row.hasPrefix("#") {
            let fields = row.split(separator: " ")
            if fields[0] != "|" { model = fields[0] }
            let place = fields[1].split(separator: ">")
            guard let service = Price.Service.allCases.first(where: { "\($0)" == place[0] }) else {
                preconditionFailure("no service '\(place[0])'")
            }
            var rates = Price.Rates()
            for field in fields.dropFirst(2) {
                let pair = field.split(separator: "=")
                guard let amount = Money(dollars: pair[1]) else { preconditionFailure("no amount '\(pair[1])'") }
                switch pair[0] {
                case "input": rates[.input] = amount
                case "output": rates[.output] = amount
                case "read": rates[.cacheRead] = amount
                case "write": rates[.cacheWrite] = amount
                case "hour": rates[.cacheWriteHour] = amount
                case "halfDay": rates[.cacheWriteHalfDay] = amount
                case "reasoning": rates[.reasoning] = amount
                case "audio": rates[.audioInput] = amount
                case "audioRead": rates[.audioCacheRead] = amount
                case "search": rates[.toolCalls] = amount.times(1_000_000, over: 1)
                default: preconditionFailure("no rate '\(pair[0])'")
                }
            }
            let above = place.count > 1 ? Int(place[1]) ?? 0 : 0
            let known = price(of: String(model), at: .max)?.entries ?? []
            set(Price(known + [Price.Entry(service: service, above: above, rates: rates)]), for: String(model))
        }
    }
}
