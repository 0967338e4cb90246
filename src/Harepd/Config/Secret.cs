namespace Harepd.Config;

/// <summary>A text that never shows in a log, an error or a debugger's list of values.</summary>
internal sealed record Secret(string Value)
{
    public override string ToString() => "(hidden)";
}
