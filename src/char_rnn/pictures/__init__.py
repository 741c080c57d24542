"""Pictures: declared once; shown as SVG, as PNG and in plain characters.

figure    what is to be seen: panels with lines, bars and rules, or a free drawing
layout    where it all stands, on a canvas
canvas    shapes in pixels, in named colours
svg, png  the canvas written: SVG by itself, for light and dark; PNG through matplotlib
chart     a figure in plain characters, for a terminal
"""
