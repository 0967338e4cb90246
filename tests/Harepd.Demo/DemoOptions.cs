namespace Harepd.Demo;

/// <summary>The command line of the demo.</summary>
/// <param name="Check">One JSON object a line on standard output instead of the table.</param>
/// <param name="Rounds">How many times both phases are run.</param>
internal sealed record DemoOptions(bool Check, int Rounds)
{
    private const int MaxRounds = 1000;

    /// <summary>Null when the arguments cannot be read.</summary>
    public static DemoOptions? Parse(string[] arguments)
    {
        var options = new DemoOptions(Check: false, Rounds: 1);
        for (var i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--check":
                    options = options with { Check = true };
                    break;
                case "--rounds" when i + 1 < arguments.Length && int.TryParse(arguments[i + 1], out var rounds) && rounds is > 0 and <= MaxRounds:
                    options = options with { Rounds = rounds };
                    i++;
                    break;
                default:
                    return null;
            }
        }

        return options;
    }
}
