import Foundation
import SpillwayCore
import Testing

@testable import CostLedger

/// The whole table that LiteLLM ships, where it lies beside the checkout.
private let table = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../shared/data/model_prices.json")
    .standardizedFileURL.path

@Suite(.enabled(if: FileManager.default.fileExists(atPath: table))) struct WholeTableTests {
    /// Reads the table line by line, knowing nothing of JSON but how this file is indented.
    private func lines(
        _ visit: (_ model: String, _ mode: String, _ field: String, _ above: Int?, _ value: String) -> Void
    )
        throws
    {
        var model = "", mode = "", fields: [(String, Int?, String)] = [], tiers = -1, above: Int?
        for line in try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n") {
            let indent = line.prefix { $0 == " " }.count, text = line.dropFirst(indent)
            let parts = text.components(separatedBy: "\": ")
            let key = String(parts[0].dropFirst())
            let value = parts.count > 1 ? parts[1].trimmingCharacters(in: [","]) : ""
            switch (indent, text.first) {
            case (0, "\""), (4, "\""):
                model = key
                (fields, mode) = ([], "")
            case (4, "}"): for (field, above, value) in fields { visit(model, mode, field, above, value) }
            case (8, "\""):
                if key == "mode" { mode = value.trimmingCharacters(in: ["\""]) }
                fields.append((key, nil, value))
                tiers = key == "tiered_pricing" ? 0 : -1
                above = nil
            case (12, "{"): above = nil
            case (12, "}"): if tiers >= 0 { tiers += 1 }
            case (16, "\"") where tiers >= 0: fields.append(("tiered_pricing[\(tiers)].\(key)", above, value))
            case (20, _) where tiers >= 0 && above == nil:
                above = Int(Double(text.trimmingCharacters(in: [","])) ?? -1)
                // Fields of the tier that stood before its range.
                for index in fields.indices where fields[index].0.hasPrefix("tiered_pricing[\(tiers)].") {
                    fields[index].1 = above
                }
            default: break
            }
        }
    }

    @Test func `every price of a chat or embedding model is in the book to the last digit, or listed`() throws {
        let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: table)))
        let result = try PriceBook.Import(liteLLM: bytes)
        try result.book.validate()
        #expect(result.book.price(of: "sample_spec", at: 0) == nil)
        var listed: [String: [PriceBook.Import.Reason]] = [:]
        for field in result.unmapped { listed["\(field.model)\n\(field.field)", default: []].append(field.reason) }

        var names: [String: (meter: Usage.Meter, service: Price.Service, above: Int, exponent: Int)] = [:]
        let bases: [(String, Usage.Meter, Int)] = [
            ("input_cost_per_token", .input, 15), ("output_cost_per_token", .output, 15),
            ("cache_read_input_token_cost", .cacheRead, 15), ("input_cost_per_token_cache_hit", .cacheRead, 15),
            ("cache_creation_input_token_cost", .cacheWrite, 15),
            ("cache_creation_input_token_cost_above_1hr", .cacheWriteHour, 15),
            ("cache_creation_input_token_cost_above_12hr", .cacheWriteHalfDay, 15),
            ("output_cost_per_reasoning_token", .reasoning, 15), ("input_cost_per_audio_token", .audioInput, 15),
            ("cache_read_input_audio_token_cost", .audioCacheRead, 15),
            ("output_cost_per_audio_token", .audioOutput, 15), ("input_cost_per_image_token", .imageInput, 15),
            ("output_cost_per_image_token", .imageOutput, 15), ("output_cost_per_image", .images, 15),
            ("input_cost_per_request", .requests, 15), ("input_cost_per_second", .milliseconds, 12),
            ("output_cost_per_second", .milliseconds, 12), ("cost_per_second", .milliseconds, 12),
        ]
        for (base, meter, exponent) in bases {
            for thousands in [0, 32, 100, 128, 200, 256, 272, 512] {
                for (suffix, service) in [
                    ("", Price.Service.standard), ("_batches", .batch), ("_flex", .flex), ("_priority", .priority),
                ] {
                    let size = thousands == 0 ? "" : "_above_\(thousands)k_tokens"
                    names[base + size + suffix] = (meter, service, thousands * 1_000, exponent)
                }
            }
        }
        var exact = 0, seen = Set<String>(), priceLike = 0, counts: [String: Int] = [:]
        try lines { model, mode, field, tier, value in
            guard ["chat", "embedding", "completion", "responses"].contains(mode) else { return }
            seen.insert(model)
            let name = field.split(separator: ".").last.map(String.init) ?? field
            let isPriceLike = ["cost", "price", "pricing", "uplift", "provider_specific"].contains { name.contains($0) }
            guard isPriceLike, field != "tiered_pricing" else { return }
            priceLike += 1
            let reasons = listed["\(model)\n\(field)"] ?? []
            guard let place = names[name], let decimal = Decimal(string: value) else {
                if reasons.isEmpty, name == "search_context_cost_per_query" {
                    #expect(result.book.price(of: model, at: 0)?.rates()?[.toolCalls] != nil, "\(model)")
                } else {
                    #expect(!reasons.isEmpty, "\(model) \(field) is neither mapped nor listed")
                }
                return
            }
            if reasons.contains(.base) { return }
            let scaled = decimal * Decimal(sign: .plus, exponent: place.exponent, significand: 1)
            var copy = scaled, whole = Decimal()
            NSDecimalRound(&whole, &copy, 0, .bankers)
            let above = tier ?? place.above
            let rates = result.book.price(of: model, at: 0)?
                .rates(for: place.service, promptTokens: above == 0 ? 0 : above + 1)
            if !reasons.contains(.conflict) {
                #expect(rates?[place.meter].map { Decimal($0.nanodollars) } == whole, "\(model) \(field) \(value)")
            }
            #expect((whole != scaled) == reasons.contains(.rounded), "\(model) \(field) \(value)")
            exact += 1
        }
        for field in result.unmapped { counts[field.reason.rawValue, default: 0] += 1 }
        print(
            "\(seen.count) chat and embedding models, \(priceLike) prices, \(exact) compared; \(result.book.count) models"
        )
        print("\(result.unpriced.count) without a price, \(result.free.count) all 0; not mapped: \(counts)")
        #expect(exact > 10_000)
        #expect(!result.unmapped.contains { $0.reason == .invalid || $0.reason == .unknown })
    }

    @Test func `the common prices are those of the table`() throws {
        let book = try PriceBook.Import(liteLLM: Array(Data(contentsOf: URL(fileURLWithPath: table)))).book
        for model in PriceBook.common.models {
            let names = ["", "gemini/", "mistral/", "deepseek/", "together_ai/"].map { $0 + model }
            let prices = names.compactMap { book.price(of: $0, at: 0) }
            let common = PriceBook.common.price(of: model, at: 0)
            #expect(prices.contains { $0 == common }, "\(model)")
        }
    }
}
