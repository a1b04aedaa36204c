import Drawing

/// The page's look, for light and dark surroundings.
enum PageStyle {
    static let css = """
        \(FigureStyle.colours)
        \(FigureStyle.shapes)
        * { box-sizing: border-box; }
        body {
          margin: 0; background: var(--page); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
        }
        main { max-width: 1040px; margin: 0 auto; padding: 32px 20px 64px; }
        h1 { font-size: 26px; line-height: 1.25; margin: 0 0 8px; }
        h2 { font-size: 18px; margin: 32px 0 6px; }
        h3 { font-size: 15px; margin: 0; }
        p { margin: 0 0 10px; }
        .lead, figcaption p, .card p { color: var(--soft); }
        .lead { max-width: 78ch; }
        .lead b { color: var(--ink); font-weight: 600; }
        .warning { border-left: 4px solid var(--bad); padding: 4px 12px; }
        .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(225px, 1fr)); gap: 14px; margin: 20px 0; }
        .card, figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
        .card { padding: 16px 18px; display: flex; flex-direction: column; }
        .card p { font-size: 13px; line-height: 1.4; flex: 1; }
        .card div { display: flex; justify-content: space-between; align-items: baseline; }
        .value { font-size: 26px; font-weight: 650; line-height: 1.3; font-variant-numeric: tabular-nums; }
        .name { font-size: 13.5px; }
        figure { margin: 16px 0; padding: 16px 18px 8px; }
        figcaption h2 { margin: 0 0 2px; }
        figcaption p { font-size: 13px; margin: 0 0 6px; }
        .keys { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; margin-bottom: 8px; }
        .key { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; }
        .key-good { background: var(--good); } .key-bad { background: var(--bad); }
        .key-window { background: var(--window); outline: 1px solid var(--step); outline-offset: -1px; }
        .key-calls { height: 2px; width: 16px; vertical-align: 4px; border-radius: 0; background: var(--ink); }
        .key-run0 { background: var(--run0); } .key-run1 { background: var(--run1); }
        .key-run2 { background: var(--run2); } .key-run3 { background: var(--run3); }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
        th, td { padding: 5px 9px; text-align: right; white-space: nowrap; }
        th { color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--soft); }
        th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
        tr.first td { border-top: 1px solid var(--line); }
        table + p, .scroll + p { margin-top: 12px; }
        li { margin: 3px 0; }
        """
}
