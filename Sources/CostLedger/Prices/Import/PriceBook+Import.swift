extension PriceBook {
    /// A book read from a table of prices in LiteLLM's format, with a list of all that it could not take over.
    ///
    /// The format is that of `model_prices_and_context_window.json` in LiteLLM (MIT licence): an object with a member for
    /// each model, whose fields are dollars for one unit as decimal literals. The entry `sample_spec` explains the format and
    /// is passed over.
    ///
    /// Taken over are prices by token (prompt, answer, cache, reasoning, sound, images), by image made, request, second and
    /// web search; for the standard service, batch, flex and priority; for prompts above a size, be it in the name of a field
    /// or in `tiered_pricing`, whose ranges hold for the whole call. A price of 0 is taken as it stands.
    public struct Import: Sendable {
        /// The prices, from the date that was given on.
        public let book: PriceBook
        /// Fields that say something about the price and are not in the book, or not exactly; by model, then as in the text.
        public let unmapped: [Unmapped]
        /// Models without a single price that could be taken over: the book does not know them.
        public let unpriced: [String]
        /// Models whose prices are all 0.
        ///
        /// Some are free; of others the price is just not known to whoever wrote the table.
        public let free: [String]

        /// A field that is not in the book, or not exactly.
        public struct Unmapped: Sendable, Hashable {
            /// The model.
            public let model: String
            /// The field, with the place within it where that matters: `tiered_pricing[1].input_cost_per_token`.
            public let field: String
            /// Why.
            public let reason: Reason
        }

        /// Why a field is not in the book.
        public enum Reason: String, Sendable, Hashable, CaseIterable {
            /// No `Usage.Meter` counts what it prices: characters, pixels, pages, cached images, sessions.
            case unit
            /// It is for a service that ``Price/Service`` does not have.
            case service
            /// The price depends on something that is not in a `Usage`: region, hour of the day, quality, what is free.
            case condition
            /// Prices above a size without prices below it: the service has none.
            case base
            /// Another field gives another rate for the same; the dearer one is in the book.
            case conflict
            /// Finer than a nano-dollar for a million units; the nearest rate is in the book, which is off by less than
            /// 0.0000000005 dollars for a million units.
            case rounded
            /// Negative, above 1,000 dollars a unit, or not a number.
            case invalid
            /// Not known to this version of the package.
            case unknown
        }

        /// Reads a table.
        ///
        /// - Parameters:
        ///   - bytes: UTF-8 text, at most 64 MiB.
        ///   - date: Since when the prices hold, in seconds since 1970; from ever on by default.
        /// - Throws: ``MalformedJSON`` when the text is not an object of objects in strict JSON.
        public init(liteLLM bytes: some Collection<UInt8>, from date: Int64 = .min) throws(MalformedJSON) {
            guard let models = try JSON(bytes).members else {
                throw MalformedJSON(reason: "not an object of models", offset: 0)
            }
            var names = LiteLLMNames(), book = PriceBook(), unmapped: [Unmapped] = [], unpriced: [String] = [],
                free: [String] = []
            for model in models.sorted(by: { $0.key < $1.key }) where model.key != "sample_spec" {
                var entry = LiteLLMEntry()
                entry.read(model.value.members ?? [], &names)
                if !(1...200).contains(model.key.utf8.count) || model.value.members == nil {
                    entry = LiteLLMEntry()
                    entry.omit("", .invalid)
                }
                let price = entry.price()
                unmapped += entry.unmapped.map { Unmapped(model: model.key, field: $0.field, reason: $0.reason) }
                guard let price else {
                    unpriced.append(model.key)
                    continue
                }
                book.set(price, for: model.key, from: date)
                if entry.isFree { free.append(model.key) }
            }
            self.book = book
            self.unmapped = unmapped
            self.unpriced = unpriced
            self.free = free
        }
    }
}
