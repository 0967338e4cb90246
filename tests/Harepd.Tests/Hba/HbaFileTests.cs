using Harepd.Core.Model;
using Harepd.Postgres.Hba;
using Xunit;

namespace Harepd.Tests.Hba;

public sealed class HbaFileTests
{
    private const string Block =
        "# >>> harepd node_1 term=7 gate=readwrite do not edit\n"
        + "host harw harw 10.21.57.65/32 md5\nhost haro haro 10.21.57.65/32 md5\n# <<< harepd\n";

    [Theory]
    [InlineData("")]
    [InlineData("host all all all md5")]
    [InlineData("host all all all md5\n")]
    [InlineData("# crlf\r\nhost all all all md5\r\n\r\n")]
    [InlineData("\u00EF\u00BB\u00BFlocal all all peer\n")]
    [InlineData("host all \"m\u00FCller\" all md5\n\u0000\u00FF")]
    [InlineData("# note \\\nhost all all all md5\\")]
    [InlineData("\n\n\n")]
    public void Everything_outside_the_block_stays_byte_for_byte(string file)
    {
        var once = file.With(HbaSamples.Policy, Gate.ReadWrite);

        Assert.Equal(Block + file, once);
        Assert.Equal(file, HbaSamples.Parse(once).Outside);
        Assert.Equal(once, once.With(HbaSamples.Policy, Gate.ReadWrite));
        Assert.False(once.Edit(HbaSamples.Policy, Gate.ReadWrite).Changed);
        Assert.Equal(file, HbaSamples.Parse(once.With(HbaSamples.Policy, Gate.Fenced, new Term(8))).Outside);
    }

    [Fact]
    public void The_operators_own_lines_that_name_a_HAProxy_address_stay()
    {
        const string own =
            "host app app 10.21.57.65/32 md5\nhost harw harw 10.21.57.65/32 trust\nhost harw harw 10.21.57.65/32 md5 # mine\n"
            + "hostssl harw harw 10.21.57.65/32 md5\nhost harw harw 10.21.57.66/32 md5\nhost \"harw\" \"harw\" 10.21.57.65/32 md5\nhost harw,x harw 10.21.57.65/32 md5\n";

        var edit = own.Edit(HbaSamples.Policy, Gate.ReadWrite);

        Assert.Empty(edit.TakenOver);
        Assert.EndsWith(own, HbaSamples.Text(edit.Bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_of_the_Go_daemon_are_taken_over_once()
    {
        const string file = "local all all peer\nhost    harw    harw    10.21.57.65/32    md5\nhost all all all md5\r\nhost haro haro 10.21.57.65/32 reject";

        var edit = file.Edit(HbaSamples.Policy, Gate.ReadWrite);

        Assert.Equal(["host    harw    harw    10.21.57.65/32    md5", "host haro haro 10.21.57.65/32 reject"], edit.TakenOver);
        Assert.Equal(Block + "local all all peer\nhost all all all md5\r\n", HbaSamples.Text(edit.Bytes));
        Assert.Empty(HbaSamples.Text(edit.Bytes).Edit(HbaSamples.Policy, Gate.Fenced).TakenOver);
    }

    [Fact]
    public void Rules_of_a_HAProxy_that_was_removed_go_with_it()
    {
        var two = HbaSamples.Policy with { HaproxyServers = ["10.21.57.65", "10.21.57.66"] };
        var before = "local all all peer\n".With(two, Gate.ReadWrite);
        Assert.Contains("10.21.57.66/32", before, StringComparison.Ordinal);

        Assert.Equal(Block + "local all all peer\n", before.With(HbaSamples.Policy, Gate.ReadWrite));
    }

    [Fact]
    public void A_Go_line_that_a_backslash_makes_part_of_a_comment_stays()
    {
        const string file = "# see \\\nhost harw harw 10.21.57.65/32 md5\n";

        Assert.Equal(Block + file, file.With(HbaSamples.Policy, Gate.ReadWrite));
    }

    [Fact]
    public void A_block_that_is_not_at_the_top_moves_there()
    {
        var file = "local all all peer\n" + Block + "host all all all md5\n";

        Assert.Equal(Block + "local all all peer\nhost all all all md5\n", file.With(HbaSamples.Policy, Gate.ReadWrite));
    }

    [Fact]
    public void Moving_the_block_never_joins_the_lines_around_it()
    {
        var file = "# note \\\n" + Block + "host all all all md5\n";

        var edited = file.With(HbaSamples.Policy, Gate.ReadWrite);

        Assert.Equal(Block + "# note \\\n\nhost all all all md5\n", edited);
        Assert.Equal(["host", "all", "all", "all", "md5"], HbaLine.Read(edited)[^1].Fields.Select(field => field.Tokens[0].Text));
        Assert.Equal(edited, edited.With(HbaSamples.Policy, Gate.ReadWrite));
    }

    [Fact]
    public void A_block_that_an_editor_gave_a_byte_order_mark_is_mended() =>
        Assert.Equal(Block + "local all all peer\n", ("\u00EF\u00BB\u00BF" + Block + "local all all peer\n").With(HbaSamples.Policy, Gate.ReadWrite));

    public static TheoryData<string> DamagedFiles => new()
    {
        Block + Block + "local all all peer\nhost all all all md5\n",
        Block + "local all all peer\n" + Block + "host all all all md5\n",
        Block.Replace("# <<< harepd\n", "", StringComparison.Ordinal) + "local all all peer\nhost all all all md5\n",
        Block.Replace("# <<< harepd\n", "", StringComparison.Ordinal) + Block + "local all all peer\nhost all all all md5\n",
        string.Concat(Block.Split('\n').Skip(1).Select(line => line + "\n")).TrimEnd('\n') + "\nlocal all all peer\nhost all all all md5\n",
        "local all all peer\n# <<< harepd\nhost all all all md5\n",
        "local all all peer\nhost all all all reject # harepd fence\nhost all all all md5\n",
        "# >>> harepd\nlocal all all peer\nhost all all all md5\n",
    };

    [Theory]
    [MemberData(nameof(DamagedFiles))]
    public void Half_and_doubled_blocks_are_mended_and_no_line_of_the_operator_goes(string file)
    {
        Assert.Equal(Block + "local all all peer\nhost all all all md5\n", file.With(HbaSamples.Policy, Gate.ReadWrite));
        Assert.True(HbaSamples.Parse(file).IsDamaged);
        Assert.False(HbaSamples.Parse(file.With(HbaSamples.Policy, Gate.ReadWrite)).IsDamaged);
    }

    [Fact]
    public void The_gate_on_disk_is_read_from_the_marker()
    {
        Assert.Null(HbaSamples.Parse("host all all all md5\n").ReadGate("node_1"));
        Assert.Equal(new HbaOnDisk(Gate.ReadWrite, new Term(7), IsForeign: false), HbaSamples.Parse(Block).ReadGate("node_1"));
    }

    [Fact]
    public void A_block_of_another_node_counts_as_closed_and_is_rewritten()
    {
        var clone = HbaSamples.Parse(Block);

        Assert.Equal(new HbaOnDisk(Gate.Fenced, Term.None, IsForeign: true), clone.ReadGate("node_2"));
        Assert.StartsWith("# >>> harepd node_2 term=7 gate=fenced", Block.With(HbaSamples.Policy with { NodeName = "node_2" }, Gate.Fenced), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_marker_counts_as_closed() =>
        Assert.Equal(new HbaOnDisk(Gate.Fenced, Term.None, IsForeign: false), HbaSamples.Parse("# >>> harepd node_1 gate=readwrite\n").ReadGate("node_1"));

    [Fact]
    public void The_diff_shows_what_changes_and_nothing_else()
    {
        const string before = "local all all peer\nhost all all all md5\n";
        var after = before.With(HbaSamples.Policy, Gate.ReadWrite);

        Assert.Equal(
            "--- pg_hba.conf\n+++ pg_hba.conf (harepd)\n@@ -1,2 +1,6 @@\n+# >>> harepd node_1 term=7 gate=readwrite do not edit\n"
            + "+host harw harw 10.21.57.65/32 md5\n+host haro haro 10.21.57.65/32 md5\n+# <<< harepd\n local all all peer\n host all all all md5\n",
            UnifiedDiff.Between(System.Text.Encoding.Latin1.GetBytes(before), System.Text.Encoding.Latin1.GetBytes(after), "pg_hba.conf"));
        Assert.Equal("", UnifiedDiff.Between("a\n"u8, "a\n"u8, "x"));
        Assert.Equal("--- x\n+++ x (harepd)\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+b\n", UnifiedDiff.Between("a"u8, "b\n"u8, "x"));
    }
}
