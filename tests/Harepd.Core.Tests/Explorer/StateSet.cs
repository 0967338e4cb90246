namespace Harepd.Core.Tests.Explorer;

/// <summary>The states met so far in the order in which they were met, each with the one it was reached from.</summary>
internal sealed class StateSet
{
    private World[] _states = new World[1 << 16];
    private int[] _parents = new int[1 << 16];
    private int[] _table = new int[1 << 18];

    public int Count { get; private set; }

    public World this[int index] => _states[index];

    public int ParentOf(int index) => _parents[index];

    /// <summary>False when the state was met before.</summary>
    public bool Add(World state, int parent)
    {
        if (Count * 3L > _table.Length * 2L)
        {
            Grow();
        }

        var mask = _table.Length - 1;
        var slot = (int)(state.Hash() & (ulong)mask);
        while (_table[slot] != 0)
        {
            if (_states[_table[slot] - 1].Equals(state))
            {
                return false;
            }

            slot = (slot + 1) & mask;
        }

        if (Count == _states.Length)
        {
            Array.Resize(ref _states, Count * 2);
            Array.Resize(ref _parents, Count * 2);
        }

        _states[Count] = state;
        _parents[Count] = parent;
        _table[slot] = ++Count;
        return true;
    }

    private void Grow()
    {
        _table = new int[_table.Length * 2];
        var mask = _table.Length - 1;
        for (var i = 0; i < Count; i++)
        {
            var slot = (int)(_states[i].Hash() & (ulong)mask);
            while (_table[slot] != 0)
            {
                slot = (slot + 1) & mask;
            }

            _table[slot] = i + 1;
        }
    }
}
