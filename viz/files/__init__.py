"""Files out of pictures, and the programs that make them; nothing here knows a graph.

Bytes enter, a file leaves: ``whole`` writes it in one step or says why not, ``films``
makes an animated GIF or an MP4 of a sequence of PNGs, and ``children`` runs programs
that end with the call that started them.
"""
