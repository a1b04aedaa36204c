public import SpillwayCore

/// The form in which a provider says what a call used.
public enum UsageFormat: Sendable, Hashable, CaseIterable {
    /// OpenAI's chat completions, responses, embeddings, images and transcriptions, and those who answer like it.
    ///
    /// Prompt and answer are gross: cached tokens, sound, images and reasoning are inside of them. Where the total says
    /// that reasoning stands beside the answer, as with xAI, it is taken so.
    case openAI
    /// Anthropic's messages. Cached tokens stand beside `input_tokens`.
    case anthropic
    /// Gemini's `generateContent`. Cached tokens are inside of the prompt, thoughts and tool prompts stand beside it; film is
    /// counted as images.
    case gemini
}

/// What a provider says that a call used, in counts that do not overlap.
public struct UsageReading: Sendable, Hashable {
    /// The counts, whose source is the provider, or an estimate while ``isFinal`` is false.
    public var usage: Usage
    /// The service that answered, for ``Price/cost(of:service:)``; nil when the provider does not say, or names one that is
    /// not in ``Price/Service``.
    public var service: Price.Service?
    /// Whether the provider is done counting.
    ///
    /// Until then the counts are a placeholder, or those so far, and must not be posted as what the call used.
    public var isFinal: Bool
    /// Where the provider's figures contradict each other, or could not be taken as they are.
    public var discrepancies: [Discrepancy]

    /// Whether the figures add up to the totals that the provider gives, all of them as they are.
    public var isConsistent: Bool { discrepancies.isEmpty }

    /// Figures that do not fit.
    public enum Discrepancy: Sendable, Hashable {
        /// `field` gives a total that is not what the counts add up to.
        case total(field: String, said: Int, counted: Int)
        /// The parts of `field` are more than it: they were cut, so that no token is charged twice.
        case parts(field: String, said: Int, counted: Int)
        /// `field` is negative (taken as 0), has a fraction (rounded), is above `Usage.most` (taken as that), or is no
        /// number (taken as 0).
        case count(field: String)
        /// The provider names a service that ``Price/Service`` does not have.
        case service(String)
    }

    /// Reads what one piece of JSON says: a usage object, or a whole answer, chunk or event that holds one.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8 text, at most 64 MiB.
    ///   - format: The provider's form.
    /// - Returns: nil when it says nothing about usage. For streams use ``UsageReader``: there one piece is not enough.
    /// - Throws: ``MalformedJSON`` when it is not strict JSON.
    public init?(_ bytes: some Collection<UInt8>, format: UsageFormat) throws(MalformedJSON) {
        var reader = UsageReader(format)
        guard let reading = try reader.read(bytes) else { return nil }
        self = reading
    }

    init(usage: Usage, service: Price.Service?, isFinal: Bool, discrepancies: [Discrepancy]) {
        self.usage = usage
        self.service = service
        self.isFinal = isFinal
        self.discrepancies = discrepancies
        self.usage.source = isFinal ? .provider : .estimated
    }
}
