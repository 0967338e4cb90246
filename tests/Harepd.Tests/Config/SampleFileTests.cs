using System.Text.RegularExpressions;
using Harepd.Config;
using Harepd.Tests.House;
using Xunit;

namespace Harepd.Tests.Config;

/// <summary>conf/harepd.yml tells the truth: every key is in it, and every default it shows is the code's.</summary>
public sealed partial class SampleFileTests
{
    private static readonly string Sample = Repository.Text("conf/harepd.yml");

    [Fact]
    public void The_sample_is_valid_as_it_stands()
    {
        TemporaryConfig.Good(Sample);
    }

    [Fact]
    public void Every_default_it_shows_is_the_codes_default()
    {
        var defaults = TemporaryConfig.Good(Sample);
        var shown = TemporaryConfig.Good(Uncommented());

        Assert.All(ConfigKeys.All, key => Assert.Equal((key.Path, key.Text(defaults)), (key.Path, key.Text(shown))));
    }

    [Fact]
    public void Every_key_of_the_code_is_in_the_sample_and_documented()
    {
        var written = Keys().ToList();

        Assert.Empty(ConfigKeys.All.Select(key => key.Path).Except(written, StringComparer.Ordinal));
    }

    [Fact]
    public void What_needs_a_restart_says_so()
    {
        // The mark may stand at the key or at the group above it.
        var restart = ConfigKeys.All.Where(key => key.RestartReason is not null).Select(key => key.Path.Split('.')[0]).Distinct(StringComparer.Ordinal);

        Assert.All(restart, name => Assert.Matches($@"\(restart[^)]*\)[^\n]*\n(?:.*\n)*?\s*#?{name}:", Sample));
    }

    [Fact]
    public void A_witness_can_use_the_sample_without_its_database_keys()
    {
        TemporaryConfig.Good(Sample.Replace("witness: \"10.21.57.63:10000\"", "", StringComparison.Ordinal), DaemonMode.ServerOnly);
    }

    [Fact]
    public void The_readmes_smallest_configuration_works()
    {
        var yaml = ReadmeYaml().Match(Repository.Text("README.md")).Groups[1].Value;

        Assert.Equal(3, TemporaryConfig.Good(yaml).Members.Length);
    }

    private static string Uncommented() => CommentedKey().Replace(Sample, "$1$2");

    // The paths of all keys, commented or not, by their indentation; inline groups of one line are opened up.
    private static IEnumerable<string> Keys()
    {
        var path = new List<string>();
        foreach (Match match in KeyLine().Matches(Uncommented()))
        {
            var depth = match.Groups[1].Length / 2;
            path.RemoveRange(depth, path.Count - depth);
            path.Add(match.Groups[2].Value);
            var prefix = string.Join('.', path.Skip(1));
            yield return prefix;
            foreach (Match inner in InlineKey().Matches(match.Groups[3].Value))
            {
                yield return $"{prefix}.{inner.Groups[1].Value}";
            }
        }
    }

    [GeneratedRegex(@"^( +)#([A-Za-z]+:)", RegexOptions.Multiline)]
    private static partial Regex CommentedKey();

    [GeneratedRegex(@"^( *)([A-Za-z]+):(.*)$", RegexOptions.Multiline)]
    private static partial Regex KeyLine();

    [GeneratedRegex(@"```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ReadmeYaml();

    [GeneratedRegex(@"[{,] *([A-Za-z]+):")]
    private static partial Regex InlineKey();
}
