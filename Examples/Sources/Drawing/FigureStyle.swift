/// The look of drawings, for light and dark surroundings, as CSS.
public enum FigureStyle {
    /// The colours by their names.
    public static let colours = """
        :root {
          color-scheme: light dark;
          --page: #f6f6f3; --card: #ffffff; --ink: #16161a; --soft: #5b5b63; --line: #dededa;
          --good: #2f74c8; --bad: #e0553d; --window: #f3ead2; --step: #a38a4a;
          --run0: #8a8a93; --run1: #6a3fc4; --run2: #0f8f6f; --run3: #c2418a;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #131316; --card: #1c1c20; --ink: #f0f0f2; --soft: #a5a5ae; --line: #34343a;
            --good: #4c8fe2; --bad: #ee6c52; --window: #2f2a1c; --step: #b39a58;
            --run0: #9a9aa4; --run1: #a98bf5; --run2: #35c29b; --run3: #e873b4;
          }
        }
        """

    /// What the classes of a drawing's elements look like.
    public static let shapes = """
        svg { display: block; width: 100%; min-width: 680px; height: auto; }
        svg text { font-family: system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        svg text { fill: var(--soft); font-size: 11.5px; font-variant-numeric: tabular-nums; }
        svg .title { fill: var(--ink); font-size: 13.5px; font-weight: 650; }
        svg .note { font-size: 12px; } svg .strip { fill: var(--step); font-size: 11px; }
        svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
        svg .window { fill: var(--window); }
        svg .grid { stroke: var(--line); stroke-width: 1; }
        svg .axis { stroke: var(--soft); stroke-width: 1; }
        svg .step { stroke: var(--step); stroke-width: 1; stroke-dasharray: 2 3; }
        svg .good { fill: var(--good); } svg .bad { fill: var(--bad); }
        svg .calls { fill: none; stroke: var(--ink); stroke-width: 1.6; stroke-linejoin: round; }
        svg .run { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
        svg .run0 { stroke: var(--run0); } svg .run1 { stroke: var(--run1); }
        svg .run2 { stroke: var(--run2); } svg .run3 { stroke: var(--run3); }
        svg .threshold { fill: none; stroke: var(--soft); stroke-width: 1; stroke-dasharray: 6 4; }
        svg .dot0 { fill: var(--run0); } svg .dot1 { fill: var(--run1); }
        svg .dot2 { fill: var(--run2); } svg .dot3 { fill: var(--run3); }
        svg .paper { fill: var(--card); }
        """
}
